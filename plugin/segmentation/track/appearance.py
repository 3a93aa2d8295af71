"""What colours the subject of a key frame has, against what is around it."""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.regions import depth
from plugin.segmentation.track.motion import Picture
from plugin.types import FloatArray

_BINS = 16
_AROUND = 91
"""Width in pixels of the surroundings that the subject is compared with."""

_BAND = 16.0
"""How far from its edge, in pixels, colours may correct a mask."""

_WEIGHT = 0.7
"""How much colours count against the mask that was carried."""


class Appearance:
    """How likely a colour is the subject's: two histograms of 16³ colours."""

    def __init__(self, picture: Picture, coverage: FloatArray) -> None:
        subject = coverage > 0.5
        around = cv2.dilate(subject.astype(np.uint8), np.ones((_AROUND, _AROUND), np.uint8)) > 0
        inside = _histogram(picture[subject])
        outside = _histogram(picture[around & ~subject])
        self._likely = (inside / (inside + outside)).astype(np.float32)
        self._own = max(self._share(picture, subject), 1e-3)

    def likeness(self, picture: Picture, coverage: FloatArray) -> float:
        """How much what is under a mask looks like the subject: 1 as in the key frame, 0 not."""
        inside = coverage > 0.5
        return self._share(picture, inside) / self._own if inside.any() else 0.0

    def correct(self, picture: Picture, coverage: FloatArray) -> FloatArray:
        """The mask with the colours near its edge taken into account, in log-odds."""
        likely = cv2.GaussianBlur(self._likely[_bins(picture)], (0, 0), 1.5)
        solid = coverage > 0.5
        edge = depth(solid, _BAND) + depth(~solid, _BAND)
        odds = _log_odds(coverage, 0.03) + np.float32(_WEIGHT) * _log_odds(likely, 0.02)
        corrected = np.where(edge < _BAND, 1 / (1 + np.exp(-odds)), coverage)
        # Carrying softens the mask at every step; without this it would wash out.
        return np.clip((corrected - 0.5) * 1.3 + 0.5, 0, 1).astype(np.float32)

    def _share(self, picture: Picture, inside: npt.NDArray[np.bool_]) -> float:
        return float(self._likely[_bins(picture)[inside]].mean()) if inside.any() else 0.0


def _bins(picture: Picture) -> npt.NDArray[np.int64]:
    step = 256 // _BINS
    bins: npt.NDArray[np.int64] = (picture.astype(np.int64) // step) @ np.array(
        [_BINS**2, _BINS, 1]
    )
    return bins


def _histogram(colours: Picture) -> npt.NDArray[np.float64]:
    counts = np.bincount(_bins(colours), minlength=_BINS**3)
    shares: npt.NDArray[np.float64] = 0.02 + 100 * counts / max(int(counts.sum()), 1)
    return shares


def _log_odds(values: npt.NDArray[np.generic], least: float) -> FloatArray:
    kept = np.clip(np.asarray(values, np.float32), least, 1 - least)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)
