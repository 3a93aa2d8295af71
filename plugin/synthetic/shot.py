"""`SyntheticShot`: which shot to render; `Direction`: how each kind of shot is staged."""

from dataclasses import dataclass
from enum import StrEnum

from plugin.errors import ShotError
from plugin.types import FloatArray, LabelArray

UNITS = 360.0
"""Lengths are in 1/360 of the picture's height, so that a shot looks the same at every size."""

_MIN_SIDE = 64


class ShotKind(StrEnum):
    """What is hard about a shot."""

    DEMO = "demo"
    STATIC = "static"
    PAN = "pan"
    FAST = "fast"
    WIND = "wind"
    BLUR = "blur"
    OCCLUSION = "occlusion"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Direction:
    """How a shot is staged. Lengths in units of 1/360 height, times in frames.

    Attributes:
        travel: half the subject's sideways path, which it goes there and back in `period`.
        period: frames of one there-and-back.
        hop: height of its hops.
        waving: how far limbs, ears and tail swing; 1 is lively.
        camera: half the camera's sideways path.
        camera_period: frames of the camera's there-and-back.
        wind: how far a strand's tip is blown, as a share of the strand's length.
        fur: length of the fur; 1 is plush.
        shutter: share of a frame that the shutter is open; 0.5 is a film camera's 180°.
        samples: sub-frames that are averaged for motion blur.
        grain: standard deviation of the camera's grain, display-referred.
        occluder: a tree passes in front of the subject.
        screen: a green screen instead of a scene.
    """

    travel: float = 0.0
    period: float = 96.0
    hop: float = 0.0
    waving: float = 0.5
    camera: float = 0.0
    camera_period: float = 160.0
    wind: float = 0.15
    fur: float = 1.0
    shutter: float = 0.5
    samples: int = 8
    grain: float = 0.008
    occluder: bool = False
    screen: bool = False


_DIRECTIONS = {
    ShotKind.DEMO: Direction(
        travel=80, period=110, hop=26, waving=1.0, camera=90, wind=0.35, fur=1.15
    ),
    ShotKind.STATIC: Direction(waving=0.08, wind=0.06, samples=5),
    ShotKind.PAN: Direction(travel=30, period=140, waving=0.4, camera=190, camera_period=170),
    ShotKind.FAST: Direction(
        travel=150, period=34, hop=20, waving=1.0, camera=20, shutter=0.2, samples=6
    ),
    ShotKind.WIND: Direction(travel=6, waving=0.3, camera=10, wind=0.8, fur=1.6),
    ShotKind.BLUR: Direction(
        travel=130, period=48, hop=30, waving=1.2, camera=60, shutter=0.95, samples=14
    ),
    ShotKind.OCCLUSION: Direction(
        travel=60, period=80, hop=10, waving=0.6, camera=40, wind=0.25, occluder=True
    ),
    ShotKind.GREEN: Direction(
        travel=70, period=100, hop=22, waving=1.0, wind=0.35, fur=1.2, grain=0.018, screen=True
    ),
}


@dataclass(frozen=True, slots=True)
class SyntheticShot:
    """A shot that can be rendered: the same shot gives the same pixels, frame by frame.

    Attributes:
        kind: what is hard about it.
        seed: chooses the creature, its coat and the scene; not below 0.
        width: pixels across, even.
        height: pixels down, even.
        frames: how many frames there are; the motion does not depend on it.
        grain: standard deviation of the grain, display-referred; None takes the kind's own.

    Raises:
        ShotError: a size or a count that cannot be rendered.
    """

    kind: ShotKind = ShotKind.DEMO
    seed: int = 0
    width: int = 640
    height: int = 360
    frames: int = 48
    grain: float | None = None

    def __post_init__(self) -> None:
        if min(self.width, self.height) < _MIN_SIDE or self.width % 2 or self.height % 2:
            size = f"{self.width} × {self.height}"
            fix = f"give even sides of {_MIN_SIDE} pixels or more"
            raise ShotError("this size cannot be rendered", where=size, fix=fix)
        if self.frames < 1 or self.seed < 0:
            where = f"{self.frames} frames, seed {self.seed}"
            raise ShotError("no such shot", where=where, fix="one frame or more, seed 0 or more")
        if self.grain is not None and not 0 <= self.grain <= 0.5:
            raise ShotError("no such grain", where=self.grain, fix="give 0 to 0.5, or None")

    @property
    def direction(self) -> Direction:
        """How it is staged."""
        return _DIRECTIONS[self.kind]

    @property
    def name(self) -> str:
        """Name of the shot in file names."""
        return f"{self.kind}{self.seed}" if self.seed else str(self.kind)

    @property
    def unit(self) -> float:
        """Pixels in 1/360 of the height."""
        return self.height / UNITS

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the picture in units."""
        return 0.5 * self.width / self.unit, 0.5 * UNITS


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticFrame:
    """One frame with everything that is true of it, in display-referred sRGB values.

    The network and the comps of this project are display-referred, and so is this arithmetic; per
    pixel and to the last bit of float32

        plate_rgb = foreground + (1 − alpha) · background + grain

    Attributes:
        index: 0 for the shot's first frame.
        plate_rgb: `H × W × 3` float32 within [0, 1], what the camera saw.
        alpha: `H × W` float32 within [0, 1], coverage by the subject over the open shutter.
        foreground: `H × W × 3` float32 within [0, alpha], premultiplied by alpha.
        background: `H × W × 3` float32 within [0, 1], all that is not the subject; this includes
            what passes in front of it.
        grain: `H × W × 3` float32, the camera's noise, limited so that the plate does not clip.
        mask: `H × W` uint8, 0 to 255, a segmentation as another tool would give it: coarse, off by
            a pixel or two, without the loose hair.
    """

    index: int
    plate_rgb: FloatArray
    alpha: FloatArray
    foreground: FloatArray
    background: FloatArray
    grain: FloatArray
    mask: LabelArray
