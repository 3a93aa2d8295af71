"""Where the trimaps of a shot come from, settled once, and each frame's, its overrides applied."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from plugin.errors import FrameError, TrimapError, told_as
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.plates.companions.layers import choose_matte
from plugin.plates.companions.pictures import digest_of, is_picture, read_header
from plugin.plates.companions.places import place_note
from plugin.request.shot import Shot
from plugin.segmentation.plans import asked_frames
from plugin.trimap.band import read_trimap, trimap_from_mask
from plugin.trimap.override import Override
from plugin.trimap.softness import Softness, softness_of
from plugin.trimap.stretches import Edge, Stretches, stretches_of
from plugin.types import BACKGROUND, UNKNOWN, FloatArray, Mask, PlateInfo, Trimap


class TrimapPlan(BaseModel):
    """How the trimaps of a shot are made.

    Attributes:
        kind: `band` around the mask's edge, or `files`.
        erode: band inside, pixels of a 1080p frame.
        dilate: band outside, pixels of a 1080p frame.
        band: whether the plate decides how wide it is: `auto`, by stretch, `wide`, or `fixed`.
        edge: what the outline is taken for.
        path: pattern of the ready trimaps, or one picture; absolute.
        notes: what a person should know of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["band", "files"]
    erode: Annotated[float, Field(ge=0, le=500)] = 0
    dilate: Annotated[float, Field(ge=0, le=500)] = 0
    band: Literal["auto", "wide", "fixed"] = "fixed"
    edge: Edge = "auto"
    path: str = ""
    notes: tuple[str, ...] = ()


@told_as(TrimapError)
def plan_trimaps(shot: Shot, info: PlateInfo) -> TrimapPlan:
    """Settle where the trimaps come from; every ready one that is asked for is read and checked.

    Raises:
        TrimapError: a ready trimap is missing, damaged, of another size, or holds other values.
    """
    if shot.trimap is None:
        return TrimapPlan(
            kind="band", erode=shot.erode, dilate=shot.dilate, band=shot.band, edge=shot.edge
        )
    plan = TrimapPlan(kind="files", path=str(Path(shot.trimap).absolute()))
    asked = asked_frames(shot, info)
    if not is_picture(plan.path):
        raise TrimapError("no picture", where=shot.trimap, fix="give a pattern of PNG, TIFF or EXR")
    missing = FrameRange.of(n for n in asked if not _file(plan.path, n).is_file())
    if missing:
        raise TrimapError(f"no trimap for frames {missing}", where=shot.trimap, fix="render them")
    found: dict[str, list[int]] = {}
    for number in asked:
        labels = read_trimap(_file(plan.path, number), number, info).labels
        what = "no unknown pixel" if not (labels == UNKNOWN).any() else ""
        if int(labels.min()) == int(labels.max()) != UNKNOWN:
            what = "only background" if int(labels.max()) == BACKGROUND else "only subject"
        found.setdefault(what, []).append(number)
    for what in ("only background", "only subject"):
        if len(found.get(what, ())) == len(asked):
            raise TrimapError(f"the trimaps hold {what}", where=shot.trimap, fix="check them")
    first = read_header(_file(plan.path, asked.first))
    layer = choose_matte(first.parts, "", plan.path)
    channels = ", ".join(layer.colours or layer.names)
    name, count = Path(plan.path).name, f"{len(asked)} of frames {asked.brief}"
    notes = [f"ready trimaps: {name}, {count}, channel {channels}, as stored"]
    notes += filter(None, [place_note(first, info)])
    notes += [
        f"{w} in the trimaps of frames {FrameRange.of(n).brief}" for w, n in found.items() if w
    ]
    pattern = FramePattern.of(plan.path)
    if pattern is None and len(asked) > 1:
        notes.append(f"one trimap holds for all {len(asked)} frames")
    notes += [] if pattern is None else pattern.listing()[1]
    return plan.model_copy(update={"notes": tuple(notes)})


class TrimapSource:
    """Makes each frame's trimap, in a worker. The result depends on the frame alone."""

    def __init__(self, plan: TrimapPlan, info: PlateInfo, override: Override | None = None) -> None:
        self._plan = plan
        self._info = info
        self._override = override

    @property
    def needs_mask(self) -> bool:
        """Whether `trimap` has to be given the frame's mask."""
        return self._plan.kind == "band"

    def trimap(self, number: int, mask: Mask | None, rgb: FloatArray | None = None) -> Trimap:
        """The trimap of one frame, the shot's overrides applied.

        Args:
            number: the frame.
            mask: its mask, where `needs_mask`.
            rgb: the frame, display-referred, `H × W × 3`: how soft its edges are.

        Raises:
            FrameError: a ready trimap or an override's picture is missing or damaged by now, or a
                mask is needed.
        """
        return self.steps(number, mask, rgb)[1]

    def steps(
        self, number: int, mask: Mask | None, rgb: FloatArray | None = None
    ) -> tuple[Trimap, Trimap]:
        """The same before the overrides' pictures, polygons and strokes, and after.

        Raises:
            FrameError: as `trimap`.
        """
        files = self._plan.kind == "files"
        made = self._from_file(number) if files else self._band(number, mask, rgb)
        return made, made if self._override is None else self._override.apply(made)

    def rules(self, number: int) -> list[str]:
        """Names of the override rules that speak of a frame."""
        return [] if self._override is None else self._override.ids(number)

    @told_as(FrameError, of=TrimapError)
    def _from_file(self, number: int) -> Trimap:
        return read_trimap(_file(self._plan.path, number), number, self._info)

    def _band(self, number: int, mask: Mask | None, rgb: FloatArray | None) -> Trimap:
        if mask is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give masks or trimaps")
        rules = self._override
        erode, dilate = (None, None) if rules is None else rules.params(number)
        edge = None if rules is None else rules.edge(number)
        # A width that an artist set for a frame is meant as it stands, unless an edge is said too.
        fixed = edge is None and not (erode is None and dilate is None)
        found = None if fixed or rgb is None else self._found(rgb, mask, edge)
        band = trimap_from_mask(
            mask,
            erode=self._plan.erode if erode is None else erode,
            dilate=self._plan.dilate if dilate is None else dilate,
            height=self._info.display_window.height,
            found=found,
        )
        return Trimap(number, band.labels)

    def _found(self, rgb: FloatArray, mask: Mask, edge: Edge | None) -> Stretches | Softness | None:
        """What the plate says of the mask's edge; an override's `edge` asks by stretch."""
        plan = self._plan
        if edge is not None or plan.band == "auto":
            return stretches_of(rgb, mask, edge or plan.edge)
        return softness_of(rgb, mask) if plan.band == "wide" else None

    @told_as(FrameError)
    def digest(self, number: int) -> str:
        """sha256 of the settings, of the ready trimap's file and of this frame's overrides.

        Raises:
            FrameError: a file is missing.
        """
        settings = self._plan.model_dump(mode="json", exclude={"path", "notes"})
        content = ""
        if self._plan.kind == "files":
            content = digest_of(_file(self._plan.path, number))
        parts = [settings, self._info.display_window.height, content]
        if self._override is not None:
            parts += self._override.digests(number)
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _file(path: str, number: int) -> Path:
    pattern = FramePattern.of(path)
    return Path(path) if pattern is None else pattern.path(number)
