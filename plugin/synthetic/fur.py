"""Fur: tufts of strands on an ellipsoid, grown once, bent anew at every moment, drawn in order."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.synthetic.canvas import SHIFT, Canvas
from plugin.synthetic.noise import generator, noise
from plugin.types import FloatArray, LabelArray

_STRANDS = 6
_LIGHT = np.array([-0.45, -0.6, 0.66], np.float32)
_LONG = 24.0
"""Units from which a strand needs more than three straight pieces to look curved."""


@dataclass(frozen=True, slots=True)
class Coat:
    """How an ellipsoid is furred. Lengths in units of 1/360 height.

    Attributes:
        tufts: number of tufts, each of several strands.
        length: of a strand.
        lift: 0 lies flat along the combing, 1 stands off the skin.
        comb: direction in which the fur is combed, x right and y down.
        colour: sRGB of the fur in the light.
        second: sRGB of patches and stripes.
        stray: share of tufts that are thin, long and loose.
        belly: share of the ellipsoid's lower middle that has the second colour.
    """

    tufts: int
    length: float
    lift: float
    comb: tuple[float, float]
    colour: tuple[float, float, float]
    second: tuple[float, float, float]
    stray: float = 0.05
    belly: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Tufts:
    """Grown fur in the frame of its ellipsoid, sorted from the back to the front.

    Attributes:
        roots: `N × S × 2` float32, where strands grow, in units from the ellipsoid's centre.
        reach: `N × S × 2` float32, from root to tip at rest, in units.
        phase: `N × S` float32, when the wind moves it, in radians.
        along: `K` float32 from 0 to 1, where along a strand its points are.
        dark: `N × 4` uint8, colour near the root; the fourth is 255, coverage.
        light: `N × 4` uint8, colour towards the tip.
    """

    roots: FloatArray
    reach: FloatArray
    phase: FloatArray
    along: FloatArray
    dark: LabelArray
    light: LabelArray


def grow(coat: Coat, radii: tuple[float, float], tilt: float, *key: int) -> Tufts:
    """Grow the fur of an ellipsoid.

    Args:
        coat: how it is furred.
        radii: half axes across and down, in units.
        tilt: radians by which the part is turned, for its shading.
        key: chooses the numbers.
    """
    rng = generator("fur", *key)
    normal = _normals(rng, coat.tufts)
    order = np.argsort(0.7 * normal[:, 2] - 0.5 * normal[:, 1] + rng.normal(0, 0.08, len(normal)))
    normal = normal[order]
    size = np.array(radii, np.float32)
    stray = rng.random(len(normal)) < coat.stray

    shape = (len(normal), _STRANDS)
    spread = 2.6 / size
    roots = normal[:, None, :2] + rng.normal(0, 1, (*shape, 2)) * spread
    comb = np.array([*coat.comb, 0.0]) + rng.normal(0, 0.28, (*shape, 3))
    reach = normal[:, None] * coat.lift + comb + rng.normal(0, 0.16, (len(normal), 1, 3))
    reach /= np.linalg.norm(reach, axis=-1, keepdims=True)
    length = coat.length * rng.uniform(0.65, 1.2, shape) * np.where(stray, 1.5, 1.0)[:, None]
    gather = -0.55 * (roots - roots.mean(axis=1, keepdims=True)) * size
    dark, light = _colours(rng, coat, normal, tilt)
    return Tufts(
        roots=(roots * size).astype(np.float32),
        reach=(reach[..., :2] * length[..., None] + gather).astype(np.float32),
        phase=(rng.normal(0, 0.5, (len(normal), 1)) + rng.normal(0, 0.25, shape)).astype(
            np.float32
        ),
        along=np.linspace(0, 1, 5 if coat.length > _LONG else 4, dtype=np.float32),
        dark=dark,
        light=light,
    )


def _normals(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Unit normals of the half that faces the camera, `count × 3`, denser towards the rim."""
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = rng.random(count) ** 0.42 * 0.985
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    return np.stack([x, y, np.sqrt(1 - radius**2)], axis=1)


def _colours(
    rng: np.random.Generator, coat: Coat, normal: npt.NDArray[np.float64], tilt: float
) -> tuple[LabelArray, LabelArray]:
    """Colour of every tuft at root and tip: slow patches, a tuft's own shade, light from above."""
    cell = 24
    patches = noise(rng, 64, 64, cell, 2)
    column, row = ((normal[:, :2] * 0.5 + 0.5) * 63).astype(int).T
    share = np.clip(0.35 + 0.75 * patches[row, column], 0, 1) * 0.55
    belly = np.hypot(normal[:, 0] / 0.62, (normal[:, 1] - 0.22) / 0.72) < 1
    share = np.where(belly & (coat.belly > 0), coat.belly, share)[:, None]
    colour = np.array(coat.colour) * (1 - share) + np.array(coat.second) * share

    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    turned = np.column_stack([normal[:, :2] @ turn.T, normal[:, 2]])
    lit = 0.46 + 0.66 * np.clip(turned @ _LIGHT, 0, 1) + 0.16 * (1 - normal[:, 2]) ** 3
    shade = lit * rng.normal(1.0, 0.09, len(normal))
    tint = rng.normal(1.0, 0.03, (len(normal), 3))
    light = np.clip(colour * tint * shade[:, None], 0.015, 0.97)
    dark = np.clip(light * (0.62 + 0.12 * rng.random((len(normal), 1))), 0.01, 0.97)
    return _opaque(dark), _opaque(light)


def _opaque(colour: npt.NDArray[np.float64]) -> LabelArray:
    """Colours `N × 3` as bytes with full coverage behind them, `N × 4`."""
    bytes_ = np.rint(colour * 255).astype(np.uint8)
    return np.column_stack([bytes_, np.full(len(bytes_), 255, np.uint8)])


def bend(
    tufts: Tufts, place: FloatArray, blow: tuple[float, float], gust: float, time: float
) -> npt.NDArray[np.float32]:
    """Strands at one moment as polylines.

    Args:
        tufts: the fur.
        place: `2 × 3`, from the part's frame to the picture's, both in units.
        blow: steady push on the tips as a share of the length: drag, in the picture's directions.
        gust: strength of the wind as a share of the length.
        time: in frames.

    Returns:
        `N × S × K × 2` float32 in the picture's units, `K` points from root to tip.
    """
    roots = tufts.roots @ place[:, :2].T + place[:, 2]
    reach = tufts.reach @ place[:, :2].T
    length = np.linalg.norm(reach, axis=-1)
    wave = time * (2 * np.pi / 26) - roots[..., 0] * 0.011 - roots[..., 1] * 0.004
    flutter = 0.55 + 0.6 * np.sin(wave + tufts.phase) + 0.2 * np.sin(1.9 * wave + 3 * tufts.phase)
    sideways = (gust * flutter + blow[0]) * length
    downwards = (-0.18 * gust * flutter + blow[1] + 0.16) * length
    push = np.stack([sideways, downwards], axis=-1)
    # The further a strand is pushed, the more it is pulled back: it bends and does not stretch.
    keep = length / np.maximum(np.linalg.norm(reach + push, axis=-1), length * 0.6)
    along = tufts.along[:, None]
    eased = 1 + (keep[..., None, None] - 1) * along
    curve = (reach[..., None, :] * along + push[..., None, :] * along**1.8) * eased
    return np.asarray(roots[..., None, :] + curve, np.float32)


def draw(canvas: Canvas, strands: FloatArray, tufts: Tufts) -> None:
    """Draw strands over a canvas, in place, the last on top.

    Antialiased lines blend all four channels of the canvas towards `(r, g, b, 255)`, which over a
    premultiplied picture with coverage is exactly the over operation.
    """
    points = canvas.fixed(strands)
    split = (len(tufts.along) - 1) // 2
    near = np.ascontiguousarray(points[:, :, : split + 1])
    far = np.ascontiguousarray(points[:, :, split:])
    colours = zip(tufts.dark.tolist(), tufts.light.tolist(), strict=True)
    width = canvas.hair
    for low, high, (dark, light) in zip(near, far, colours, strict=True):
        cv2.polylines(canvas.pixels, low, False, dark, width, cv2.LINE_AA, SHIFT)
        cv2.polylines(canvas.pixels, high, False, light, width, cv2.LINE_AA, SHIFT)
