"""How wide a trimap's band is, stretch by stretch: cloth is not hair.

Where the plate's edge (`outline`) is sharp, where it carries the whole change from the subject's
colours to the background's, and where colours leave no doubt on either side, the band is a few
pixels around it. Where the change is spread out (hair, fur, motion blur, defocus), where colours
speak for both sides, or where the edge that was found is ragged, it is wide, and keeps to the mask.
The weights of these four were fitted to what the bundled network makes of shots with true alpha:
people and rendered hair over photographs, with outlines as a person draws them (docs/trimaps.md).
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from plugin.trimap.outline import Chain, Outline, along, outline_of
from plugin.types import FloatArray, Mask

Edge = Literal["auto", "hard", "hair"]
"""What the outline is taken for: by stretch as measured, or throughout."""

_WIDTHS = np.log(np.array([3.0, 5.0, 8.0, 12.0, 20.0, 32.0]))
"""Logarithms of the band's width, pixels of a 1080p frame, at a softness of 0 to 5."""

_HARD, _HAIR = 1.0, 4.0
"""The softness of what is called hard, and the least of what is called hair."""

_STEP, _DOUBT_OUTSIDE, _DOUBT_INSIDE, _RAGGED, _BIAS = -5.84, 6.44, 6.83, 0.795, 0.43
"""What counts towards softness, as the argument of a logistic curve."""

_FOLLOWED, _LEFT = 1.0, 3.5
"""Up to the first softness the band is around the edge that was found, from the second on around
the mask's."""

_POOL = 40.0
"""Standard deviation of a stretch, pixels of a 1080p frame."""

_ASIDE = 9.0
"""Where colours are asked for doubt: so far to both sides of the edge, pixels of a 1080p frame."""

_THINNEST = 2.0
"""The narrowest band to one side, pixels of the picture that is worked on: an edge's own width."""

_LEAST = 3.0
"""The mask's own edge is in the band, with so much around it, pixels of a 1080p frame."""

_MIX = 6.0
"""A stretch has its neighbours' width too, so far, pixels of a 1080p frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """How far the band reaches from the mask's edge, pixels of a 1080p frame.

    Attributes:
        inner: `H × W` float32, inside.
        outer: `H × W` float32, outside.
    """

    inner: FloatArray
    outer: FloatArray


def stretches_of(rgb: FloatArray, mask: Mask, edge: Edge = "auto") -> Stretches | None:
    """The band of each stretch; None where the frame has no outline to measure.

    Args:
        rgb: the frame, display-referred, `H × W × 3`.
        mask: its mask, of the same size.
        edge: what the outline is.
    """
    outline = outline_of(rgb, mask.coverage)
    if not outline.chains:
        return None
    reaches = [_reach(chain, outline.unit, edge) for chain in outline.chains]
    height, width = mask.coverage.shape
    inner, outer = (
        cv2.resize(side, (width, height), interpolation=cv2.INTER_LINEAR)
        for side in _spread(outline, reaches)
    )
    return Stretches(np.asarray(inner, np.float32), np.asarray(outer, np.float32))


def _reach(chain: Chain, unit: float, edge: Edge) -> FloatArray:
    """How far the band reaches inside and outside the mask's edge at each point, `n × 2`."""
    softness = _softness(chain, unit)
    if edge == "hard":
        softness = np.full_like(softness, _HARD)
    elif edge == "hair":
        softness = np.maximum(softness, _HAIR)
    width = np.exp(np.interp(softness, np.arange(len(_WIDTHS)), _WIDTHS))
    width = np.maximum(width, _THINNEST / unit)
    follows = np.clip((_LEFT - softness) / (_LEFT - _FOLLOWED), 0, 1)
    shift = chain.found / unit * follows
    reach = np.maximum(np.stack([width - shift, width + shift], axis=1), _LEAST)
    steps = max(1, round(_MIX * unit))
    near = (np.arange(len(reach))[:, None] + np.arange(-steps, steps + 1)) % len(reach)
    return along(reach[near].max(axis=1), steps)


def _softness(chain: Chain, unit: float) -> npt.NDArray[np.float64]:
    """0 to 5 at each point."""
    places = chain.odds.shape[1]
    middle = places // 2
    at = np.rint(chain.found).astype(np.intp)[:, None] + middle
    aside = round(_ASIDE * unit)
    sides = np.clip(at + np.array([aside, -aside]), 0, places - 1)
    pool = _POOL * unit
    contrast = along(np.take_along_axis(chain.contrast, at, 1)[:, 0], pool)
    seen = np.take_along_axis(chain.seen, sides, 1).astype(np.float32)
    likely = seen / (1 + np.exp(-np.take_along_axis(chain.odds, sides, 1)))
    weight = along(seen, pool) + np.float32(0.02)
    mean = (along(likely, pool) + np.float32(0.01)) / weight
    square = (along(likely * likely, pool) + np.float32(0.005)) / weight
    doubt = np.sqrt(np.maximum(square - mean * mean, 0))
    far = max(1, round(30 * unit))
    near = min(round(6 * unit), far - 1)
    between = chain.colours[:, middle - far : middle - near].mean(axis=1) - chain.colours[
        :, middle + near + 1 : middle + far + 1
    ].mean(axis=1)
    whole = along(np.sqrt(np.square(between).sum(axis=1)), 20 * unit)
    bends = np.abs(chain.found - along(chain.found, 15 * unit)) / unit
    told = (
        _STEP * contrast / (whole + np.float32(0.05))
        + _DOUBT_OUTSIDE * doubt[:, 0]
        + _DOUBT_INSIDE * doubt[:, 1]
        + _RAGGED * along(bends, 20 * unit)
        + _BIAS
    )
    return np.asarray((len(_WIDTHS) - 1) / (1 + np.exp(-told)), np.float64)


def _spread(outline: Outline, reaches: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """One figure a point of the outline to one a pixel: each pixel has its nearest point's."""
    width, height = outline.size
    away = np.ones((height, width), np.uint8)
    for chain in outline.chains:
        away[chain.points[:, 1], chain.points[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = labels.astype(np.intp)
    figures = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    for chain, reach in zip(outline.chains, reaches, strict=True):
        # Where a limb is one pixel thin, both its sides have the same points: the wider counts.
        np.maximum.at(figures, nearest[chain.points[:, 1], chain.points[:, 0]], reach)
    spread = figures[nearest]
    return np.ascontiguousarray(spread[..., 0]), np.ascontiguousarray(spread[..., 1])
