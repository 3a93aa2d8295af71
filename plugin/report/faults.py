"""What can be seen to be wrong with one matte: holes inside, halos, hair cut off, glass.

None of it is a judgement; each is a figure that says where to look. All are in pixels of a 1080p
frame or shares, so that one level holds for every plate.

- *Holes*: alpha that is missing within the subject's outline, where the trimap does not say that
  there is background. A gap between arm and body is known to the trimap and counts as none.
- *Halo* and *eaten*: near the edge, the subject's colour and the background's are known on both
  sides. A pixel whose colour lies on the line between them shows how much of each it has; alpha
  beyond that brings the old background along (halo), alpha below it takes from the subject (eaten).
  Both as the width of a rim, all around the outline.
- *Clipped*: how much of the band's outer end alpha runs into, still dense: there it was cut off.
- *Through*: what lies behind is seen in the opaque subject too (`through`).
- *Nothing*: how much of what the trimap left unknown the matte has nothing of (`nothing`).
- *Soft*: the width over which the edge falls from subject to background.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.channels import dot, thrice, times
from plugin.report.figures import Box, densest, noted
from plugin.report.nothing import came_to_nothing
from plugin.report.through import seen_through
from plugin.types import BACKGROUND, FOREGROUND, FloatArray, LabelArray

_LONGEST = 960
"""Longest side of the pictures in which it is looked."""

_NEAR, _RIM = 0.03, 0.006
"""Of the longest side, how far from the edge its colours are taken, and from where on: a matte that
is too wide or too narrow has the other's colour nearer."""

_INSIDE = 0.012
"""Of the longest side, how far within the outline a hole lies at least: beyond it hair ends."""

_THIN = 0.002
"""Of the longest side, half of the width up to which what is see-through is an edge."""

_CLEAR, _SOLID = np.float32(0.08), np.float32(0.9)
"""Alpha between which a pixel is see-through."""

_CONTRAST = 0.2
"""Least distance, in display RGB, of the two colours that a pixel is mixed of."""

_OFF_LINE = 0.08
"""Most distance of a pixel's colour from the line between them."""

_LEAST = np.float32(1 / 255)
"""Alpha from which there is anything."""

_DENSE = 0.25
"""Alpha that is no fringe any more."""

BOXED = ("holes", "halo", "eaten", "clipped", "through", "nothing")
"""Those that have a place."""

Where = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame's pictures at the size in which it is looked.

    Attributes:
        rgb: `h × w × 3` float32, display-referred.
        labels: `h × w`, the trimap that went in.
        alpha: `h × w` float32.
        unit: pixels of this size in a pixel of a 1080p frame.
        side: the longest side of the frame at this size.
        corner: column and row of the frame at which the pictures begin: around the subject.
    """

    rgb: FloatArray
    labels: LabelArray
    alpha: FloatArray
    unit: float
    side: int
    corner: tuple[int, int] = (0, 0)


def look_at(
    rgb: FloatArray,
    labels: LabelArray,
    alpha: FloatArray,
    area: tuple[slice, slice] | None = None,
) -> dict[str, float]:
    """The figures of one frame, and their places.

    Args:
        rgb: `H × W × 3` float32, display-referred.
        labels: `H × W`, the trimap that went in.
        alpha: `H × W` float32, as stored.
        area: rows and columns of the plate's data window that the three show; None is all.

    Returns:
        `holes` (a share of the subject), `halo`, `eaten` and `soft` (pixels of a 1080p frame),
        `clipped` (a share of the band's outer end), `through` (a correlation), `nothing` (a share
        of what is unknown); for the `BOXED`, where they lie thickest, as `<name>_left`, … in
        pixels of the plate's data window. Of a frame that shows no subject, or nothing else,
        `nothing` alone, and only where there is any.
    """
    whole = _shrunk(rgb, labels, alpha)
    seen = _around(whole)
    gone, where = came_to_nothing(seen.rgb, seen.labels, seen.alpha, seen.side)
    found, weights = {"nothing": gone}, {"nothing": where}
    if (whole.alpha > 0.5).any() and not (whole.alpha > 0.5).all():
        more, shown = _edges(seen)
        found, weights = found | more, weights | shown
    elif not gone:
        return {}
    sizes = zip(labels.shape[::-1], whole.labels.shape[::-1], strict=True)
    across, down = (a / b for a, b in sizes)
    left_of, top_of = seen.corner
    x, y = (0, 0) if area is None else (area[1].start or 0, area[0].start or 0)
    for name in weights:
        box = densest(weights[name]) if found[name] > 0 else None
        if box is not None:
            left, right = (round((at + left_of) * across) + x for at in (box.left, box.right))
            top, bottom = (round((at + top_of) * down) + y for at in (box.top, box.bottom))
            found |= noted(name, Box(left, top, right, bottom))
    return found


def _edges(seen: Seen) -> tuple[dict[str, float], dict[str, FloatArray]]:
    """What is told of the subject and its edge, and where those with a place lie."""
    solid = seen.alpha > 0.5
    edge = _outline(solid)
    length = max(float(np.count_nonzero(edge)), 1.0)
    weights = {"holes": _holes(seen, solid), "clipped": _clipped(seen)}
    weights["halo"], weights["eaten"] = _rims(seen)
    through, weights["through"] = seen_through(seen.rgb, seen.alpha, seen.side)
    found = {
        "through": max(through, 0.0),
        "holes": float(weights["holes"].sum()) / float(np.count_nonzero(solid)),
        "halo": float(weights["halo"].sum()) / length / seen.unit,
        "eaten": float(weights["eaten"].sum()) / length / seen.unit,
        "clipped": float(np.count_nonzero(weights["clipped"])) / length,
        "soft": float((4 * seen.alpha * (1 - seen.alpha)).sum()) / length / seen.unit,
    }
    return found, weights


def _shrunk(rgb: FloatArray, labels: LabelArray, alpha: FloatArray) -> Seen:
    height, width = labels.shape
    scale = min(1.0, _LONGEST / max(height, width))
    unit = scale * max(height / 1080, width / 1920)
    if scale == 1:
        return Seen(np.clip(rgb, 0, 1), labels, alpha, max(unit, 0.1), max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = [
        np.asarray(
            cv2.resize(np.ascontiguousarray(p), size, interpolation=cv2.INTER_AREA), np.float32
        )
        for p in (rgb, alpha)
    ]
    classes = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return Seen(np.clip(small[0], 0, 1), classes, small[1], max(unit, 0.1), max(size))


def _around(whole: Seen) -> Seen:
    """The part of a frame in which something is to be seen: subject, band, colours beside them."""
    where = (whole.alpha > _LEAST) | (whole.labels != BACKGROUND)
    margin = round(2 * _NEAR * whole.side)
    left, top, width, height = cv2.boundingRect(where.astype(np.uint8))
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    return Seen(
        np.ascontiguousarray(whole.rgb[rows, columns]),
        np.ascontiguousarray(whole.labels[rows, columns]),
        np.ascontiguousarray(whole.alpha[rows, columns]),
        whole.unit,
        whole.side,
        (columns.start, rows.start),
    )


def _outline(region: Where) -> Where:
    grown = cv2.dilate(region.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
    outline: Where = (grown > 0) & ~region
    return outline


def _disc(radius: float) -> npt.NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _holes(seen: Seen, solid: Where) -> FloatArray:
    """What is missing of alpha well within the outline, where the trimap knows of no gap."""
    side = seen.side
    outlines, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(solid.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    inside = cv2.erode(filled, _disc(_INSIDE * side), borderValue=1) > 0
    gap = cv2.dilate((seen.labels == BACKGROUND).astype(np.uint8), _disc(_INSIDE * side / 2)) > 0
    # A gap that the trimap leaves open is clear within and has a thin edge; a hole is see-through.
    through = (seen.alpha > _CLEAR) | (seen.labels == FOREGROUND)
    open_ = (inside & ~gap & through & (seen.alpha < _SOLID)).astype(np.uint8)
    wide = cv2.morphologyEx(open_, cv2.MORPH_OPEN, _disc(_THIN * side)) > 0
    return np.ascontiguousarray(np.where(wide, _SOLID - seen.alpha, 0), np.float32)


def _clipped(seen: Seen) -> FloatArray:
    """Pixels at the band's outer end where alpha is dense still."""
    outside = (seen.labels == BACKGROUND).astype(np.uint8)
    ring = (cv2.dilate(outside, np.ones((3, 3), np.uint8)) > 0) & (outside == 0)
    return np.ascontiguousarray(ring & (seen.alpha > _DENSE), np.float32)


def _rims(seen: Seen) -> tuple[FloatArray, FloatArray]:
    """By how much alpha is above, and below, what the colours on both sides of the edge say."""
    near, rim = (share * seen.side for share in (_NEAR, _RIM))
    sure_in, sure_out = (
        cv2.erode(where.astype(np.uint8), _disc(rim), borderValue=1) > 0
        for where in (seen.alpha > 0.99, seen.alpha < 0.01)
    )
    front, spread_in, there_in = _colour(seen.rgb, sure_in, near)
    back, spread_out, there_out = _colour(seen.rgb, sure_out, near)
    line = front - back
    apart = dot(line, line)
    share = dot(seen.rgb - back, line) / np.maximum(apart, 1e-6)
    inside = np.clip(share, 0, 1).astype(np.float32)
    gone = seen.rgb - back - times(line, inside)
    off = dot(gone, gone)
    steady = apart > 9 * np.maximum(spread_in, spread_out)
    told = there_in & there_out & steady & (apart > _CONTRAST**2) & (off < _OFF_LINE**2)
    edge = _outline(seen.alpha > 0.5).astype(np.uint8)
    told &= cv2.dilate(edge, _disc(near / 2)) > 0
    gap = np.where(told, seen.alpha - inside, 0)
    noise = np.float32(0.12)  # grain, and colours that vary
    over, under = np.maximum(gap - noise, 0), np.maximum(-gap - noise, 0)
    return np.ascontiguousarray(over, np.float32), np.ascontiguousarray(under, np.float32)


def _colour(rgb: FloatArray, where: Where, near: float) -> tuple[FloatArray, FloatArray, Where]:
    """The mean colour nearby of what is sure, how far it spreads, and where there is any."""
    weight = where.astype(np.float32)
    side = 2 * max(2, round(near)) + 1
    total = cv2.blur(weight, (side, side))
    safe = np.maximum(total, 1e-4)
    mean = np.asarray(cv2.blur(times(rgb, weight), (side, side)) / thrice(safe), np.float32)
    power = cv2.blur(dot(rgb, rgb) * weight, (side, side)) / safe
    spread = np.maximum(np.asarray(power) - dot(mean, mean), 0)
    there: Where = total > 0.02
    return mean, np.asarray(spread, np.float32), there
