"""Stabilisation: a matte that does not flicker, from raw alphas of a few frames on each side.

Second pass over the shot. A frame's result depends on the raw alphas and the plate's frames within
its window alone, so it comes out the same for any number of workers, order, chunk or resume.

    flow ─► neighbours in this frame's place ─► who is believed ─► local colour model ─► alpha

A plain mean of the neighbours, moved into place, blurs hair: flow is never right to the pixel. So
what is shared between frames is not alpha but how alpha follows colour. Around each pixel, over
space and time, α ≈ a·rgb + b is fitted to the raw alphas (a guided filter, He et al. 2013, whose
window has a third axis), and read off with this frame's own colours: detail and place are those of
this frame, the level is that of all.

A neighbour counts where the flow comes back to where it started and where its colour is this
frame's; where none does, as behind an occlusion or in a flash, the raw alpha stays as it is.
Pixels that are known stay untouched.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from plugin.image.channels import dot
from plugin.image.halves import as_floats
from plugin.image.regions import Box, Flags
from plugin.stabilise.flow import Flows, Motion, RawFrame
from plugin.stabilise.sampling import (
    as_unit,
    common,
    part_of,
    placed,
    places,
    read,
    read_part,
    samples,
)
from plugin.types import FloatArray

VERSION = 5
"""Raised whenever the same frames give other pixels than before."""

_RADIUS = 3
"""Samples around each pixel that one colour model holds for."""

_LINES = 270
"""Of a plate whose every pixel is a sample; with twice as many lines every second one is, so that a
model holds for the same part of the picture whatever its size."""

_EPSILON = 1e-4
"""Variance below which colour says nothing: that of fine grain."""

_RETURN = 2.0
"""Pixels by which the flow may miss the place that it came from: a standard deviation."""

_COLOUR = 0.12
"""By which colours may differ, over all channels: a standard deviation."""

_LEAST = 0.05
"""Weight below which a neighbour is not asked at all."""

_SUPPORT = 0.1
"""Weight of neighbours at which half of the change is made."""

_OFF = 0.2
"""By how much the model is wrong about known subject where it is believed by three fifths."""

_TILE = 64
"""Samples; the region is a thin band, of which larger tiles would hold too little."""

_HALO = 2 * _RADIUS + 4
"""Samples: two boxes, and the blur of colours."""

_SUMS = 15
"""Planes: 1, rgb, α, the six products of rgb, the three of rgb and α, weight of the neighbours."""

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """A frame as seen from the centre, over one tile."""

    rgb: FloatArray
    alpha: FloatArray
    weight: FloatArray


def stabilise(centre: RawFrame, neighbours: Sequence[RawFrame], flows: Flows) -> FloatArray:
    """The alpha of one frame, steadied by its neighbours.

    Args:
        centre: the frame.
        neighbours: those of its window, all of its size; none leaves it as it is.
        flows: finds the motion between frames.

    Returns:
        `H × W` float32 within [0, 1]; the raw alpha, to the bit, outside of the region, and where
        no neighbour can be believed.
    """
    result = np.array(as_floats(centre.alpha))
    others = [(frame, flows.between(centre, frame)) for frame in neighbours]
    step = _step(len(result))
    for tile, wide in _tiles(centre.region, step):
        moved = [seen for frame, motion in others if (seen := _move(centre, frame, motion, wide))]
        if not moved:
            continue
        near = _widened(tile[0], wide[0]), _widened(tile[1], wide[1])
        steady = _told(_fit(_own(centre, wide), moved), centre, near, wide)
        rows, columns = (part_of(t, n) for t, n in zip(tile, near, strict=True))
        change = centre.region[tile]
        result[tile][change] = steady[rows, columns][change]
    return result


def _step(lines: int) -> int:
    """Pixels from one sample to the next, a power of two."""
    return int(2 ** max(0, round(math.log2(max(1, lines) / _LINES))))


def _tiles(region: Flags, step: int) -> Iterator[tuple[Box, Box]]:
    """Tiles of a fixed grid that hold anything, and the same with a halo."""
    height, width = region.shape
    side = _TILE * step
    for top in range(0, height, side):
        for left in range(0, width, side):
            tile = slice(top, min(height, top + side)), slice(left, min(width, left + side))
            if region[tile].any():
                wide = _grown(tile[0], height, step), _grown(tile[1], width, step)
                yield tile, wide


def _widened(span: slice, wide: slice) -> slice:
    """A tile's pixels and those around it that say how well the model does."""
    reach = _RADIUS * wide.step
    return slice(max(wide.start, span.start - reach), min(wide.stop, span.stop + reach), 1)


def _grown(span: slice, size: int, step: int) -> slice:
    """With the halo; its samples are those of the whole frame's grid."""
    halo = _HALO * step
    return slice(max(0, span.start - halo), min(size, span.stop + halo), step)


def _own(centre: RawFrame, wide: Box) -> _Moved:
    """The centre's samples."""
    alpha = as_floats(centre.alpha[wide])
    there = np.ones(alpha.shape, np.float32) if centre.there is None else centre.there[wide]
    return _Moved(as_unit(centre.picture[wide]), alpha, np.asarray(there, np.float32))


def _move(centre: RawFrame, frame: RawFrame, motion: Motion, wide: Box) -> _Moved | None:
    """A neighbour in the centre's place, and how far it is believed; None where it is nowhere."""
    box = motion.box
    rows, columns = (common(w, b) for w, b in zip(wide, box, strict=True))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    x, y = places(rows, columns)
    flow = motion.at(motion.there, x, y)
    x, y = x + flow[..., 0], y + flow[..., 1]
    returned = motion.at(motion.back, x, y)
    parted = np.asarray(flow + returned, np.float32)
    missed = dot(parted, parted)
    rgb = as_unit(read(frame.picture, x, y))
    own = as_unit(centre.picture[rows, columns])
    other = np.asarray(cv2.GaussianBlur(rgb - own, (0, 0), 1.0), np.float32)
    off = dot(other, other)
    weight = np.exp(-missed / (2 * _RETURN**2) - off / (2 * _COLOUR**2))
    weight[(x < box[1].start) | (x > box[1].stop - 1)] = 0
    weight[(y < box[0].start) | (y > box[0].stop - 1)] = 0
    if frame.there is not None:
        weight *= read(frame.there.astype(np.float32), x, y)
    weight[weight < _LEAST] = 0
    if not weight.any():
        return None
    place = part_of(rows, wide[0]), part_of(columns, wide[1])
    shape = samples(wide[0]), samples(wide[1])
    return _Moved(
        placed(rgb, place, shape),
        placed(read_part(frame.alpha, x, y), place, shape),
        placed(weight.astype(np.float32), place, shape),
    )


def _fit(own: _Moved, moved: Sequence[_Moved]) -> FloatArray:
    """The colour model of all, and its support, at each sample: slopes, offset, support last."""
    sums = np.zeros((_SUMS, *own.alpha.shape), np.float32)
    _add(sums, own)
    for seen in moved:
        _add(sums, seen)
        sums[14] += seen.weight
    # Around the pixel, as the model is: one pixel whose flow fails is carried by those around it.
    sums = _boxed(sums)
    total = np.maximum(sums[0], np.float32(1e-6))
    mean, level = sums[1:4] / total, sums[4] / total
    slope = _solve(sums, total, mean, level)
    offset = level - (slope * mean).sum(axis=0)
    model = _boxed(np.concatenate([slope, offset[None]]))
    inside = _boxed(np.ones((1, *level.shape), np.float32))[0]
    fitted = np.concatenate([model, sums[14:]]) / inside
    return np.ascontiguousarray(fitted.transpose(1, 2, 0))


def _told(fitted: FloatArray, centre: RawFrame, tile: Box, wide: Box) -> FloatArray:
    """The tile's alpha by the model, as far as there is anybody to believe.

    The model varies slowly, so that a few samples of it do (He and Sun, "Fast Guided Filter",
    2015); the detail is that of the frame's own colours, at every pixel.
    """
    x, y = places(*tile)
    u, v = (x - wide[1].start) / wide[1].step, (y - wide[0].start) / wide[0].step
    model, support = read(fitted[..., :4], u, v), read(fitted[..., 4], u, v)
    told = dot(model[..., :3], as_unit(centre.picture[tile])) + model[..., 3]
    share = support / (support + np.float32(_SUPPORT))
    own = as_floats(centre.alpha[tile])
    told = np.clip(told, 0, 1)
    subject = ~centre.region[tile] & (own > np.float32(0.5))
    share *= _believed(subject, told - own, _RADIUS * wide[0].step)
    steady: FloatArray = own + share * (told - own)
    return steady


def _believed(subject: Flags, off: FloatArray, reach: int) -> FloatArray:
    """How far the model may be believed beside known subject, by what it makes of that: 0 to 1."""
    known = subject.astype(np.float32)
    side = (2 * reach + 1, 2 * reach + 1)
    wrong, count = (
        cv2.boxFilter(plane, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in (known * np.square(off), known)
    )
    mean = np.maximum(wrong, 0) / np.maximum(count, 1)
    return np.asarray(np.exp(-mean / np.float32(2 * _OFF**2)), np.float32)


def _add(sums: FloatArray, seen: _Moved) -> None:
    weight, alpha = seen.weight, seen.alpha
    rgb = [np.ascontiguousarray(seen.rgb[..., channel]) for channel in range(3)]
    weighted = [weight * channel for channel in rgb]
    sums[0] += weight
    sums[4] += weight * alpha
    for channel in range(3):
        sums[1 + channel] += weighted[channel]
        sums[11 + channel] += weighted[channel] * alpha
    for plane, (p, q) in enumerate(_PAIRS):
        sums[5 + plane] += weighted[p] * rgb[q]


def _solve(sums: FloatArray, total: FloatArray, mean: FloatArray, level: FloatArray) -> FloatArray:
    """(Σ + ε)⁻¹ cov(rgb, α) at each pixel, `3 × H × W`; in doubles, for Σ is nearly singular."""
    xx, xy, xz, yy, yz, zz = (
        (sums[5 + plane] / total - mean[p] * mean[q]).astype(np.float64)
        + (_EPSILON if p == q else 0)
        for plane, (p, q) in enumerate(_PAIRS)
    )
    b0, b1, b2 = (
        (sums[11 + channel] / total - mean[channel] * level).astype(np.float64)
        for channel in range(3)
    )
    c00, c01, c02 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    c11, c12, c22 = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    determinant = np.maximum(xx * c00 + xy * c01 + xz * c02, _EPSILON**3)
    slope = np.stack(
        [
            c00 * b0 + c01 * b1 + c02 * b2,
            c01 * b0 + c11 * b1 + c12 * b2,
            c02 * b0 + c12 * b1 + c22 * b2,
        ]
    )
    return np.asarray(slope / determinant, np.float32)


def _boxed(planes: FloatArray) -> FloatArray:
    """Sums over the square around each pixel, as far as it is inside."""
    side = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
    boxed = [
        cv2.boxFilter(plane, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in planes
    ]
    return np.asarray(np.stack(boxed), np.float32)
