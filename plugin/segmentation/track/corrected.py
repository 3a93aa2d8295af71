"""A carried mask, corrected by the network: AdaMatting's T-decoder mends a coarse trimap.

The mask becomes a trimap (a band around its edge, wider where flow was unsure), the network adapts
it and estimates alpha where the adapted trimap is unknown, and that is the mask. Two have spoken
then, flow and the network: where they agree the mask is decided, and where they contradict each
other it is unsure. The chain itself goes on with what flow carried: fed back, a mistake of the
network would be carried along, and the subject was lost sooner than without it.
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
"""So far from an edge that the two have apart a mask may be soft though flow has no doubt, working
pixels."""

_ASIDE, _NEAR = 2.0, 4
"""How far apart the two edges may lie and be one, and how far around that is looked for, working
pixels."""

_FAR = 5.0
"""From which distance of the edge on a contradiction of the two is one, working pixels."""

_AREA = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
"""What is no larger is no area, working pixels."""

_MOST_APART = 1e3
"""Stands for an edge that is nowhere."""

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
    """The network's mask as a decision, unsure where flow contradicts it.

    Where the two have one edge, it is sharp: how soft it is in truth is the trimap's to find, from
    the plate. Near an edge that flow has elsewhere the mask is as soft as the network saw it. What
    flow doubts or contradicts is unsure where that is an area, or lies deep: thin along an edge it
    is what a trimap's band is for.
    """
    solid, before = link.coverage > 0.5, carried > 0.5
    within, beyond = depth(solid), depth(~solid)
    away = within + beyond
    agreed = solid == before
    doubted = cv2.morphologyEx((link.unsure | ~agreed).astype(np.uint8), cv2.MORPH_OPEN, _AREA)
    unsure = (doubted > 0) | (~agreed & (away > _FAR))
    apart = _apart(away, depth(before) + depth(~before)) > _ASIDE
    doubtless = np.abs(carried - np.float32(0.5)) > np.float32(0.5 - _DOUBTLESS)
    soft = unsure | (apart & ~(agreed & doubtless & (away > _EDGE)))
    sharp = np.clip((within - beyond) / 2 + np.where(solid, 0.25, 0.75), 0, 1)
    coverage = np.where(soft, link.coverage, sharp).astype(np.float32)
    return replace(link, coverage=coverage, unsure=unsure)


def _apart(away: FloatArray, other: FloatArray) -> FloatArray:
    """Near one edge, how far the other is from it at most; 0 where there is no edge near."""
    far = np.where(away <= 1, np.minimum(other - 1, _MOST_APART), 0).astype(np.float32)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _NEAR + 1,) * 2)
    return np.asarray(cv2.dilate(far, around), np.float32)


def _trimap(solid: LabelArray, unsure: np.ndarray) -> LabelArray:
    inside, outside = depth(solid > 0), depth(solid == 0)
    labels = np.full(solid.shape, UNKNOWN, np.uint8)
    labels[(outside > _OUTSIDE) & ~(unsure & (outside < 2 * _OUTSIDE))] = BACKGROUND
    labels[(inside > _INSIDE) & ~unsure] = FOREGROUND
    if not (labels == FOREGROUND).any():
        labels[inside > 0.5 * float(inside.max())] = FOREGROUND
    return labels
