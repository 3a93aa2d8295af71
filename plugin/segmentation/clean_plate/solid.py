"""Making a mask of differences solid: specks away, holes where the subject looks like the back."""

import cv2
import numpy as np

from plugin.image.regions import Flags, depth
from plugin.types import FloatArray


def keep_large(coverage: FloatArray, *, least: float) -> None:
    """Clear, in place, the connected pieces under that share of the frame."""
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(
        (coverage > 0.3).astype(np.uint8), connectivity=8
    )
    small = figures[:, cv2.CC_STAT_AREA] < least * coverage.size
    small[0] = True  # what is under 0.3 belongs to a piece only near it, below
    kept = (~small[pieces]).astype(np.uint8)
    near = cv2.dilate(kept, np.ones((5, 5), np.uint8)) > 0
    coverage[~near] = 0


def fill_holes(coverage: FloatArray, differs: Flags, *, reach: float, largest: float) -> Flags:
    """Close narrow gaps and small holes of the subject, in place; where that is unsure.

    What is enclosed and is not the clean plate is the subject: cloth before a hard edge, or much
    like the wall. What is enclosed and may be the clean plate is unsure.

    Args:
        coverage: `H × W`, 0 to 1.
        differs: where the frame plainly is not the clean plate, `H × W`.
        reach: half the width of a gap that is closed, as a share of the frame's height.
        largest: area of a hole that is filled whatever it shows, as a share of the frame.
    """
    subject = (coverage > 0.5).astype(np.uint8)
    radius = max(1, round(reach * coverage.shape[0]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(subject, cv2.MORPH_CLOSE, disc)
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    small = figures[:, cv2.CC_STAT_AREA] < largest * coverage.size
    small[0] = False
    whole = (closed > 0) | small[pieces]
    filled = whole & (subject == 0)
    coverage[filled] = np.maximum(coverage[filled], 0.5)
    # The edge itself stays as soft as it was seen.
    within = depth(whole, 2 * radius + 1) > 2 * radius
    sure = within & differs
    coverage[sure] = 1
    unsure: Flags = filled & ~sure
    return unsure
