"""`chroma`: a subject before a screen of one saturated colour: green, blue, or what there is.

The screen's hue is found once from frames of the whole plate. Per frame, its light is modelled
over the picture (`screen.field_of`), and each pixel is measured against the screen behind it:

    k = (along − across) / |c|      how much of the screen's chroma c the pixel holds
    s = k · y_screen / y            the same, in relation to the pixel's own brightness

Screen gives k = 1, subject of another hue k ≤ 0; a shadow lowers k but not s. `k` is linear in
alpha: coverage is half where `k` lies halfway between the screen and most of the subject.
"""

from collections.abc import Mapping
from math import hypot
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from plugin.errors import FrameError, MaskError
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings
from plugin.segmentation.sampling import left_out, sample, sample_numbers
from plugin.segmentation.screen.finding import (
    ScreenLook,
    field_of,
    find_screen,
    look_at,
    seeds_of,
    to_opponent,
)
from plugin.types import FloatArray, Frame, Mask, PlateInfo, PlateSource, Segmenter

_WIDTH = 256
_SPECK = 3e-5


def outside_screen(
    subject: npt.NDArray[np.bool_], screen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Connected pieces of `subject` that lie beside the screen rather than before it.

    A piece goes when less than a fifth of it lies within the convex hull of the screen's pixels.
    What reaches into the hull stays whole: a subject may be larger than its screen.

    Args:
        subject: what is no screen, `H × W`.
        screen: pixels that surely are, `H × W`.
    """
    height, width = subject.shape
    scale = min(1.0, _WIDTH / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(screen.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    solid = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if not solid.any():
        return np.zeros(subject.shape, np.bool_)
    points = cv2.findNonZero(solid)
    hull = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    within = cv2.resize(hull, (width, height), interpolation=cv2.INTER_NEAREST)
    count, pieces = cv2.connectedComponents(subject.astype(np.uint8), connectivity=8)
    sizes = np.bincount(pieces.ravel(), minlength=count)
    inside = np.bincount(pieces.ravel(), weights=within.ravel(), minlength=count)
    beside = inside < 0.2 * sizes
    beside[0] = False
    outside: npt.NDArray[np.bool_] = beside[pieces]
    return outside


def drop_specks(coverage: FloatArray) -> None:
    """Clear pieces under 3 · 10⁻⁵ of the frame, in place: noise of the screen and its markers."""
    there = (coverage > 0.05).astype(np.uint8)
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(there, connectivity=8)
    tiny = figures[:, cv2.CC_STAT_AREA] < _SPECK * coverage.size
    tiny[0] = False
    if count > 1 and tiny.any():
        coverage[tiny[pieces]] = 0


_LEAST_AREA = 0.05
"""Share of the frames that a screen of a given colour covers at the least."""

_SHADOW_DEPTH = 0.3
"""Darkest shadow that is still taken for screen, as a share of the screen's own light."""


class ChromaSettings(Settings, method="chroma"):
    """The screen of a shot.

    Attributes:
        hue: direction of its colour from grey, degrees, as in `ScreenLook`.
        strength: its chroma over the mean of its channels.
        noise: how far `k` of plain screen falls below 1 (two hundredths of its pixels fall lower).
        spill: what `k` of plain subject rises to: light from the screen on it, and a hue near it.
        subject: `k` of most of the subject; below 0 where its hue is opposite to the screen's.
    """

    hue: Annotated[float, Field(ge=0, le=360)]
    strength: Annotated[float, Field(gt=0)]
    noise: Annotated[float, Field(ge=0.08, le=0.4)] = 0.1
    spill: Annotated[float, Field(ge=0.1, le=0.45)] = 0.1
    subject: Annotated[float, Field(ge=-0.6, le=0.45)] = 0.0


class ChromaKeyer:
    """Keys one frame by the shot's screen."""

    def __init__(self, settings: ChromaSettings) -> None:
        self._settings = settings

    def segment(self, frame: Frame) -> Mask:
        """Soft coverage, unsure where the screen's light changes as fast as hair would.

        Raises:
            FrameError: this frame shows no screen.
        """
        opponent = to_opponent(frame.rgb)
        measured = measure(opponent, self._settings)
        if measured is None:
            raise FrameError(
                "no screen in this frame",
                where=f"frame {frame.number}",
                fix="leave it out, or give a mask",
            )
        k, s = measured
        coverage, unsure = _coverage(k, s, self._settings)
        seeds = seeds_of(opponent, self._settings.hue, self._settings.strength)
        coverage[outside_screen(coverage > 0.5, seeds)] = 0
        drop_specks(coverage)
        soft = np.count_nonzero((coverage > 0.05) & (coverage < 0.95))
        return Mask(frame.number, coverage, unsure, confidence=1 - soft / coverage.size)

    def digest(self, number: int) -> str:  # noqa: ARG002  the same for every frame
        """sha256 of the screen."""
        return self._settings.digest("chroma")


def measure(opponent: FloatArray, settings: ChromaSettings) -> tuple[FloatArray, FloatArray] | None:
    """`k` and `s` of every pixel; None where the frame shows no screen."""
    field = field_of(opponent, settings.hue, settings.strength)
    if field is None:
        return None
    height, width = opponent.shape[:2]
    a, b, y = cv2.split(opponent)
    fa, fb, fy = cv2.split(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR))
    length = np.maximum(fa * fa + fb * fb, 1e-6)
    k = (a * fa + b * fb - np.abs(a * fb - b * fa)) / length
    k = np.asarray(cv2.medianBlur(np.clip(k, -1, 2).astype(np.float32), 3))
    s = k * fy / np.maximum(y, 0.1 * fy + 1e-3)
    return np.asarray(k, np.float32), np.asarray(s, np.float32)


def _coverage(
    k: FloatArray, s: FloatArray, settings: ChromaSettings
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Coverage from `k`, and from `s` where a shadow explains the pixel; and where that is unsure.

    Shadows are smooth. Where `k` is busier than they are, the dark pixel may as well be an edge or
    black hair: its coverage is that of `k`, and it is unsure.
    """
    screen = 1 - settings.noise
    half = max((screen + settings.subject) / 2, settings.spill + 0.1)
    steps, levels = (settings.spill, half, screen), (1, 0.5, 0)
    plain = np.interp(k, steps, levels).astype(np.float32)
    shadow = np.interp(s, steps, levels).astype(np.float32)
    weight = np.clip((k - np.float32(_SHADOW_DEPTH)) / np.float32(0.15), 0, 1)
    shaded = plain + (np.minimum(shadow, plain) - plain) * weight
    unsure: npt.NDArray[np.bool_] = _busy(k) & (plain > 0.05) & (shaded < 0.5 * plain)
    return np.where(unsure, plain, shaded), unsure


def _busy(k: FloatArray) -> npt.NDArray[np.bool_]:
    side = 2 * round(k.shape[0] / 540) + 3
    mean = cv2.blur(k, (side, side))
    spread = np.sqrt(np.maximum(cv2.blur(k * k, (side, side)) - mean * mean, 0))
    busy: npt.NDArray[np.bool_] = spread > 0.08
    return busy


def _plan_chroma(look: ScreenLook, frames: list[FloatArray]) -> ChromaSettings:
    """Settings from what the screen looks like and from display frames that show it."""
    a, b, y = (float(v) for v in to_opponent(np.array([[look.rgb]], np.float32))[0, 0])
    settings = ChromaSettings(hue=round(look.hue, 2), strength=round(hypot(a, b) / y, 4))
    levels = [found for found in (_levels(frame, settings) for frame in frames) if found]
    noise = [1 - k for k, _ in levels if k is not None]
    subject = [k for _, k in levels if k is not None]
    return settings.model_copy(
        update={
            "noise": _rounded(noise, 0.08, 0.4),
            "spill": _rounded([k[1] for k in subject], 0.1, 0.45),
            "subject": _rounded([k[0] for k in subject], -0.6, 0.45),
        }
    )


def _levels(
    frame: FloatArray, settings: ChromaSettings
) -> tuple[float | None, tuple[float, float] | None] | None:
    """Lowest `k` of plain screen; middle and highest of plain subject; away from the edge."""
    opponent = to_opponent(frame)
    measured = measure(opponent, settings)
    if measured is None:
        return None
    k = measured[0]
    seeds = seeds_of(opponent, settings.hue, settings.strength).astype(np.uint8)
    screen = cv2.erode(seeds, np.ones((9, 9), np.uint8)) > 0
    subject = cv2.erode((k < 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return (
        float(np.percentile(k[screen], 2)) if screen.any() else None,
        (float(np.median(k[subject])), float(np.percentile(k[subject], 95)))
        if subject.any()
        else None,
    )


def _rounded(values: list[float], low: float, high: float) -> float:
    return round(min(max(float(np.median(values)), low), high), 3) if values else low


def _prepare(request: Request) -> SegmentPlan:
    seen = sample(request.plate, request.to_display)
    frames = list(seen.values())
    asked = request.shot.screen
    look = find_screen(frames) if asked == "auto" else look_at(frames, _hue(asked))
    if look is None or not (look.usable if asked == "auto" else look.area >= _LEAST_AREA):
        raise MaskError(
            "no screen is seen" if asked == "auto" else f"no screen of colour {asked} is seen",
            where=request.plate.info.path,
            fix="name its colour with --screen #rrggbb, or give masks with --mask",
        )
    return screen_plan(look, request.plate, seen, "chroma")


def screen_plan(
    look: ScreenLook, plate: PlateSource, seen: Mapping[int, FloatArray], why: str
) -> SegmentPlan:
    """The plan for a screen, as samples of the plate show it, with what the user should hear."""
    settings = _plan_chroma(look, list(seen.values()))
    colour = "#" + "".join(f"{round(255 * min(max(v, 0), 1)):02x}" for v in look.rgb)
    warnings = list(left_out(sample_numbers(plate), seen))
    if look.border < 0.4:
        warnings.append(
            f"the screen covers {look.border:.0%} of the frame's border: what stands beside it and"
            " touches the subject needs an override"
        )
    return SegmentPlan(
        method="chroma",
        settings=settings,
        reason=f"{why}: a screen of {colour} over {look.area:.0%} of the frame",
        warnings=tuple(warnings),
    )


def _hue(colour: str) -> float:
    rgb = np.array([[[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]]], np.float32)
    a, b, _ = (float(v) for v in to_opponent(rgb)[0, 0])
    if hypot(a, b) < 0.1:
        raise MaskError("the screen's colour is a grey", where=colour, fix="give a saturated one")
    return float(np.degrees(np.arctan2(b, a)) % 360)


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:  # noqa: ARG001
    return ChromaKeyer(plan.of(ChromaSettings))


CHROMA = Method(_prepare, _build, needs="--segment chroma, --screen #rrggbb: a screen behind")
