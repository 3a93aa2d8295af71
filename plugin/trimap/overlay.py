"""The overlay: a trimap laid over its plate, to be looked at before a long run.

What is definite is dimmed, what is unknown stands out in the plate's own light between a red line
(background beyond it) and a green one (subject within it). What an override's picture, polygon or
stroke changed is tinted: blue where it set the subject, orange the background, violet the unknown;
and the rules of the frame are named.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from plugin.disk.atomic import write_whole
from plugin.errors import FrameError
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray, Trimap

_DIMMED = 0.45
_RED, _GREEN = (1.0, 0.15, 0.1), (0.2, 1.0, 0.25)
_SET = {
    UNKNOWN: (0.75, 0.2, 1.0),
    FOREGROUND: (0.1, 0.55, 1.0),
    BACKGROUND: (1.0, 0.6, 0.0),
}
"""What overrides made a pixel."""

_QUALITY = 90
_LONGEST = 120
"""Characters of a caption that still can be read at the width of a plate."""


def overlay(
    rgb: FloatArray, plain: Trimap, trimap: Trimap, rules: Sequence[str] = ()
) -> LabelArray:
    """Draw a trimap over its plate, `H × W × 3` uint8 RGB.

    Args:
        rgb: the frame, display-referred, `H × W × 3`.
        plain: the trimap before the overrides' pixel rules.
        trimap: the trimap after them.
        rules: names of the override rules of this frame.
    """
    labels = trimap.labels
    drawn = draw_over(rgb, plain.labels, labels, outline_width(labels.shape[0]))
    named = f"  rules: {', '.join(rules)}" if rules else ""
    _caption(drawn, f"{trimap.number}  {(labels == UNKNOWN).mean():.1%} unknown{named}")
    return drawn


def outline_width(height: int) -> int:
    """Pixels of the outlines in a frame of that height."""
    return max(1, round(height / 540))


def draw_over(rgb: FloatArray, plain: LabelArray, labels: LabelArray, thick: int) -> LabelArray:
    """A trimap over its plate, or over a part of it, `H × W × 3` uint8 RGB.

    Args:
        rgb: display-referred, `H × W × 3`.
        plain: the trimap before the overrides' pixel rules.
        labels: the trimap after them.
        thick: width of the outlines; so far from its edges a part is as it is in the whole.
    """
    picture = np.where((labels == UNKNOWN)[..., None], rgb, rgb * np.float32(_DIMMED))
    for label, colour in _SET.items():
        _tint(picture, (labels != plain) & (labels == label), colour)
    for label, colour in ((BACKGROUND, _RED), (FOREGROUND, _GREEN)):
        picture[_outline(labels == label, thick)] = colour
    drawn: LabelArray = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return drawn


def write_overlay(path: Path, picture: LabelArray, root: Path) -> None:
    """Write an overlay as JPEG.

    Args:
        path: the final name.
        picture: `H × W × 3` uint8 RGB.
        root: the output folder, which no symbolic link may lead out of.

    Raises:
        FrameError: it cannot be encoded: a JPEG has at most 65 500 pixels a side.
        OutputError: the disk refuses.
    """
    try:
        done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    except cv2.error:
        done = False
    if not done:
        raise FrameError("too large for a JPEG", where=path, fix="look at the trimap itself")
    write_whole(path, data.tobytes(), durable=False, root=root)


def _tint(
    picture: FloatArray, changed: npt.NDArray[np.bool_], colour: tuple[float, float, float]
) -> None:
    picture[changed] = 0.5 * picture[changed] + 0.5 * np.array(colour, np.float32)


def _outline(region: npt.NDArray[np.bool_], thick: int) -> npt.NDArray[np.bool_]:
    """The pixels of a region along its edge; the frame's end is none."""
    cell = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    inner = cv2.erode(region.astype(np.uint8), cell, borderValue=1)
    edge: npt.NDArray[np.bool_] = region & (inner == 0)
    return edge


def _caption(drawn: LabelArray, text: str) -> None:
    """One line at the bottom left, light with a dark rim.

    The rim is the letters grown: letters of another thickness would also be of another width.
    """
    scale = max(0.4, drawn.shape[0] / 1080)
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    strip = drawn[-min(drawn.shape[0], round(48 * scale)) :]
    letters = np.zeros(strip.shape[:2], np.uint8)
    place = (round(12 * scale), strip.shape[0] - round(14 * scale))
    thickness = max(1, round(scale))
    cv2.putText(letters, shown, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness, cv2.LINE_AA)
    rim = cv2.dilate(letters, np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8))
    dark = strip * (1 - rim[..., None].astype(np.float32) / 255)
    strip[:] = np.maximum(np.rint(dark).astype(np.uint8), letters[..., None])
