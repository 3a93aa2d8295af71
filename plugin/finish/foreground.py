"""Foreground colours: what the subject looks like where it is mixed with what lies behind it.

A pixel of the plate is `I = α F + (1 − α) B`. With α known, F and B are found from coarse to fine:
on each level every pixel's F and B are drawn to the means of their 3 × 3 neighbours and, at the
same time, held to the equation,

    min  (αF + (1−α)B − I)² / v_I  +  (F − F̄)² / v_F  +  (B − B̄)² / v_B

which has a closed form. Three things differ from the published multi-level method (Germer et al.,
"Fast Multi-Level Foreground Estimation", 2020), and all were measured, see the decisions:

- A neighbour is listened to as far as it knows: its F weighs α, its B weighs 1 − α.
- Variances are relative, `v = (|mean| + 0.2)²` over those weights. In scene-linear light a window
  may be 40 times as bright as the sleeve before it; the equation's residue is then the window's.

- Both stay within what is surely seen of them in the pixel's surroundings, a little slack added,
  and within the plate's own range (`surroundings`). Unbounded, what an alpha that is too low
  leaves over made colours of thirty times white; held, the other side takes its share of it.

Values are those of the plate, below 0 only where it is.
"""

import cv2
import numpy as np

from plugin.finish.surroundings import Bounds, bounds_around
from plugin.image.channels import thrice
from plugin.image.regions import Flags
from plugin.types import FloatArray

_Sides = tuple[FloatArray, FloatArray]

_SMALL = 32
"""Pixels along the longer side of levels that are worked on longer."""

_ROUNDS_SMALL, _ROUNDS = 10, 6
_AROUND = 8
"""Pixels around what is mixed that take part: more than a level's rounds reach."""

_TILE = 128
"""Side of what is worked on at a time, pixels: as much as the processor's cache holds."""

_STRENGTH = 0.05
"""How much the equation gives way to smoothness; less follows grain into F."""

_FLOOR = 0.02
"""What a neighbour weighs that knows nothing."""

_DARK = 0.2
"""Level below which deviations count as absolute."""


def estimate_foreground(
    rgb: FloatArray, alpha: FloatArray, wanted: Flags | None = None
) -> FloatArray:
    """The subject's own colour in every pixel, not multiplied by alpha.

    Args:
        rgb: `H × W × 3` float32, the plate in a space where α mixes it; finite.
        alpha: `H × W` float32 within [0, 1].
        wanted: `H × W`, the pixels whose colours will be seen, which are the same whatever else
            is; None is all of them.

    Returns:
        `H × W × 3` float32, finite. Where alpha is 1 it is the plate to the last bit; where it is
        0, the nearest subject's colour goes on smoothly. No channel is above the plate's largest
        value of it, nor below the lesser of 0 and its smallest.
    """
    foreground = background = None
    sizes = _sizes(alpha)
    sides = [bounds_around(rgb, share, len(sizes), _DARK) for share in (alpha, 1 - alpha)]
    asked = np.ones(alpha.shape, np.float32)
    if wanted is not None:
        asked = (wanted & (alpha < 1)).astype(np.float32)
    asked_of = _each_from_the_last(asked, sizes)
    for (width, height), asked, *bounds in reversed(
        list(zip(sizes, asked_of, *sides, strict=True))
    ):
        image = _resized(rgb, width, height, cv2.INTER_AREA)
        mix = _resized(alpha, width, height, cv2.INTER_AREA)
        if foreground is None or background is None:
            foreground, background = image.copy(), image.copy()
        both = (
            _resized(foreground, width, height, cv2.INTER_LINEAR),
            _resized(background, width, height, cv2.INTER_LINEAR),
        )
        rounds = _ROUNDS_SMALL if max(width, height) <= _SMALL else _ROUNDS
        _settle_in_tiles(image, mix, both, rounds, bounds, asked > 0)
        foreground, background = both
    assert foreground is not None  # noqa: S101  there is always one level
    solid = (alpha == 1).astype(np.uint8)
    return np.asarray(cv2.copyTo(rgb, solid, foreground), np.float32)


def premultiply(foreground: FloatArray, alpha: FloatArray) -> FloatArray:
    """Colours times alpha; where alpha is 0 exactly 0, without a sign."""
    product = foreground * thrice(alpha)
    there = (alpha > 0).astype(np.uint8)
    return np.asarray(cv2.copyTo(product, there, np.zeros_like(product)), np.float32)


def _each_from_the_last(asked: FloatArray, sizes: list[tuple[int, int]]) -> list[FloatArray]:
    """What is asked for, above 0, on every level: a pixel of which any part is on the finer one."""
    levels = []
    for width, height in sizes:
        asked = _resized(asked, width, height, cv2.INTER_AREA)
        levels.append(asked)
    return levels


def _sizes(alpha: FloatArray) -> list[tuple[int, int]]:
    """Width and height of every level, the finest first."""
    sizes = [(alpha.shape[1], alpha.shape[0])]
    while max(sizes[-1]) > 2:
        width, height = sizes[-1]
        sizes.append(((width + 1) // 2, (height + 1) // 2))
    return sizes


def _resized(picture: FloatArray, width: int, height: int, how: int) -> FloatArray:
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.float32).reshape(
        height, width, *picture.shape[2:]
    )


def _mixed_box(mix: FloatArray) -> tuple[slice, slice]:
    """Where something is mixed, and a little around: elsewhere nothing is asked."""
    height, width = mix.shape[:2]
    if max(height, width) <= _SMALL:
        return slice(0, height), slice(0, width)
    x, y, across, down = cv2.boundingRect(((mix > 0) & (mix < 1)).astype(np.uint8))
    rows = slice(max(0, y - _AROUND), min(height, y + down + _AROUND))
    return rows, slice(max(0, x - _AROUND), min(width, x + across + _AROUND))


def _settle_in_tiles(  # noqa: PLR0917  one level's pictures
    image: FloatArray,
    mix: FloatArray,
    both: _Sides,
    rounds: int,
    bounds: list[Bounds],
    asked: Flags,
) -> None:
    """`_settle` in place where something is mixed, by tiles, around what is asked for in each.

    A round reaches one pixel further, so with that many more on each side nothing changes. Nor does
    it by what is left out that lies farther than `_AROUND` from all that is asked for: the finer
    level's rounds reach half as far here as there, and so on up, which is 8 at most.
    """
    box = _mixed_box(mix)
    before = [each[box].copy() for each in both]
    for tile_rows in _parts(box[0]):
        for tile_columns in _parts(box[1]):
            rows, columns = _around_asked(asked, tile_rows, tile_columns)
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            seen = _grown(rows, box[0], rounds), _grown(columns, box[1], rounds)
            inner = _within(seen[0], box[0]), _within(seen[1], box[1])
            held = [each.over(*seen) for each in bounds]
            tile = _settle(
                image[seen], mix[seen], (before[0][inner], before[1][inner]), rounds, held
            )
            kept = _within(rows, seen[0]), _within(columns, seen[1])
            for whole, part in zip(both, tile, strict=True):
                whole[rows, columns] = part[kept]


def _around_asked(asked: Flags, rows: slice, columns: slice) -> tuple[slice, slice]:
    """The part of a tile that lies around what is asked for, in it and near to it."""
    top, left = (max(0, span.start - _AROUND) for span in (rows, columns))
    near = asked[top : rows.stop + _AROUND, left : columns.stop + _AROUND]
    x, y, across, down = cv2.boundingRect(near.astype(np.uint8))
    if not across:
        return slice(0, 0), slice(0, 0)
    return (
        _grown(slice(top + y, top + y + down), rows, _AROUND),
        _grown(slice(left + x, left + x + across), columns, _AROUND),
    )


def _parts(span: slice) -> list[slice]:
    return [slice(at, min(span.stop, at + _TILE)) for at in range(span.start, span.stop, _TILE)]


def _grown(span: slice, box: slice, by: int) -> slice:
    return slice(max(box.start, span.start - by), min(box.stop, span.stop + by))


def _within(span: slice, whole: slice) -> slice:
    return slice(span.start - whole.start, span.stop - whole.start)


def _settle(
    image: FloatArray, mix: FloatArray, both: _Sides, rounds: int, bounds: list[_Sides]
) -> _Sides:
    """One level: `image` is `h × w × 3`, `mix` the alpha, `h × w`.

    Args:
        image: the plate.
        mix: alpha.
        both: F and B to begin with.
        rounds: how often they are settled.
        bounds: lowest and highest of F, and of B.
    """
    foreground, background = both
    rest = 1 - mix
    know_f, know_b = mix + np.float32(_FLOOR), rest + np.float32(_FLOOR)
    heard_f, heard_b = _mean(know_f), _mean(know_b)
    lean_f, lean_b = mix / (heard_f * _STRENGTH), rest / (heard_b * _STRENGTH)
    sides = (know_f, know_b, heard_f, heard_b, lean_f, lean_b, mix, rest)
    # Each for three channels: numpy goes through rows of them at once, not through threes.
    know_f, know_b, heard_f, heard_b, lean_f, lean_b, mix, rest = (thrice(one) for one in sides)
    noise = _spread(image, np.empty_like(image))
    least = np.minimum(image, 0)
    (low_f, high_f), (low_b, high_b) = ((np.maximum(low, least), high) for low, high in bounds)
    missing, part = np.empty_like(image), np.empty_like(image)
    pull_f, pull_b = np.empty_like(image), np.empty_like(image)
    for _ in range(rounds):
        mean_f = _mean(np.multiply(foreground, know_f, out=part))
        mean_f /= heard_f
        mean_b = _mean(np.multiply(background, know_b, out=part))
        mean_b /= heard_b
        np.multiply(_spread(mean_f, pull_f), lean_f, out=pull_f)
        np.multiply(_spread(mean_b, pull_b), lean_b, out=pull_b)
        np.subtract(image, np.multiply(mix, mean_f, out=part), out=missing)
        missing -= np.multiply(rest, mean_b, out=part)
        held = np.multiply(mix, pull_f, out=part)
        held += noise
        missing /= np.add(held, rest * pull_b, out=held)
        foreground = _within_bounds(mean_f, pull_f, missing, low_f, high_f)
        background = _within_bounds(mean_b, pull_b, missing, low_b, high_b)
    return foreground, background


def _within_bounds(
    mean: FloatArray, pull: FloatArray, missing: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Its mean and its share of what is missing, in `mean`."""
    pull *= missing
    mean += pull
    np.minimum(mean, high, out=mean)
    return np.maximum(mean, low, out=mean)


def _spread(level: FloatArray, out: FloatArray) -> FloatArray:
    """Variance that goes with a level."""
    np.abs(level, out=out)
    out += np.float32(_DARK)
    return np.square(out, out=out)


def _mean(picture: FloatArray) -> FloatArray:
    """Of 3 × 3 neighbours."""
    blurred = cv2.blur(picture, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32).reshape(picture.shape)
