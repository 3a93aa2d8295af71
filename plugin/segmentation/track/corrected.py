"""A carried mask, corrected by the network: AdaMatting's T-decoder mends a coarse trimap.

The mask becomes a trimap (a band around its edge, wider where flow was unsure), the network adapts
it and estimates alpha where the adapted trimap is unknown, and that is the mask. Two have spoken
then, flow and the network: away from the edge, where flow has no doubt and the network is on its
side, the mask is decided, and where they contradict each other it is unsure. The chain itself goes
on with what flow carried: fed back, a mistake of the network would be carried along, and the
subject was lost sooner than without it.
"""

from dataclasses import replace

import cv2
import numpy as np

from plugin.image.regions import depth
from plugin.segmentation.track.chain import Link
from plugin.segmentation.track.motion import Picture
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray, Matter

_OUTSIDE, _INSIDE = 10.0, 6.0
"""The band around a carried edge, working pixels: about how far flow errs."""

_EDGE = 4.0
"""So far from its edge a mask may be soft though flow has no doubt, working pixels."""

_ASIDE = 2.0
"""How far the two may be apart before it counts as a contradiction, working pixels."""

_DOUBTLESS = 0.1
"""What flow carried is in no doubt so near to 0 and 1."""

_AROUND = 48
"""How much of the picture around the mask the network is shown, working pixels."""

_LEAST = 60
"""A mask of fewer pixels is left alone."""


def corrected(picture: Picture, link: Link, matter: Matter) -> Link:
    """The same link with the network's mask; as it was where the two are not of one size.

    Args:
        picture: the frame, `h × w × 3` uint8, display-referred.
        link: what flow carried to it.
        matter: the network.
    """
    solid = (link.coverage > 0.5).astype(np.uint8)
    area = int(np.count_nonzero(solid))
    if area < _LEAST:
        return link
    x, y, width, height = cv2.boundingRect(solid)
    rows = slice(max(0, y - _AROUND), y + height + _AROUND)
    columns = slice(max(0, x - _AROUND), x + width + _AROUND)
    trimap = _trimap(solid[rows, columns], link.unsure[rows, columns])
    image = picture[rows, columns].astype(np.float32) / np.float32(255)
    adapted, alpha = matter(image, trimap)
    made = np.where(adapted == UNKNOWN, alpha, adapted.astype(np.float32) / np.float32(FOREGROUND))
    if not 0.5 <= np.count_nonzero(made > 0.5) / area <= 2:
        return link
    coverage: FloatArray = link.coverage.copy()
    coverage[rows, columns] = made
    return decided(replace(link, coverage=coverage), link.coverage)


def decided(link: Link, carried: FloatArray) -> Link:
    """The network's mask, decided where flow agrees with it, unsure where it does not."""
    solid = link.coverage > 0.5
    away = depth(solid) + depth(~solid)
    agreed = solid == (carried > 0.5)
    doubtless = np.abs(carried - np.float32(0.5)) > np.float32(0.5 - _DOUBTLESS)
    sure = agreed & doubtless & (away > _EDGE)
    coverage = np.where(sure, solid.astype(np.float32), link.coverage)
    return replace(link, coverage=coverage, unsure=link.unsure | (~agreed & (away > _ASIDE)))


def _trimap(solid: LabelArray, unsure: np.ndarray) -> LabelArray:
    inside, outside = depth(solid > 0), depth(solid == 0)
    labels = np.full(solid.shape, UNKNOWN, np.uint8)
    labels[(outside > _OUTSIDE) & ~(unsure & (outside < 2 * _OUTSIDE))] = BACKGROUND
    labels[(inside > _INSIDE) & ~unsure] = FOREGROUND
    if not (labels == FOREGROUND).any():
        labels[inside > 0.5 * float(inside.max())] = FOREGROUND
    return labels
