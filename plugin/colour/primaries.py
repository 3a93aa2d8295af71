"""Matrices between linear RGB spaces, from the chromaticities of their primaries and white.

And the spaces' names by the code points of ITU-T H.273, as videos and PNG have them.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""x and y of red, green, blue and white of BT.709."""

NAMED = {
    "rec709": REC709,
    "rec2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    "p3d65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
    "ap0": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "ap1": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767),
    "ciexyz": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
}
"""The same of the spaces that films are made in, by their part of the interop names."""

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


_NUMBERS = re.compile(r"lin\(([-+.\deE,]+)\)\Z")


def linear_primaries(space: str) -> Sequence[float] | None:
    """Of a linear space by its name, without the `_scene` or with it; None for other names."""
    match = _NUMBERS.match(space)
    if match is not None:
        return tuple(float(number) for number in match[1].split(","))
    if not space.startswith("lin_"):
        return None
    return NAMED.get(space.removeprefix("lin_").removesuffix("_scene"))


def between(source: str, target: str) -> Matrix | None:
    """3 × 3 from one linear space to another, by name; None where one is not linear."""
    first, last = linear_primaries(source), linear_primaries(target)
    return None if first is None or last is None else rgb_to_rgb(first, last)


def recoloured(rgb: npt.NDArray[np.float32], matrix: Matrix) -> npt.NDArray[np.float32]:
    """Each pixel of `H × W × 3` times a matrix of `between` or `rgb_to_rgb`."""
    import cv2  # a look at a header does without

    return np.asarray(cv2.transform(rgb, matrix), np.float32)


def rgb_to_xyz(chromaticities: Sequence[float]) -> Matrix:
    """3 × 3 from linear RGB to CIE XYZ, white having Y = 1 (SMPTE RP 177).

    Args:
        chromaticities: x and y of red, green, blue and white, as in OpenEXR.

    Raises:
        ValueError: the primaries lie on one line, or the white has no luminance.
    """
    if len(chromaticities) != 8 or not np.all(np.isfinite(chromaticities)):
        raise ValueError("chromaticities are eight numbers")
    x, y = np.reshape(np.asarray(chromaticities, np.float64), (4, 2)).T
    columns = np.stack([x, y, 1 - x - y])
    if abs(y[3]) < 1e-6 or abs(np.linalg.det(columns[:, :3])) < 1e-6:
        raise ValueError("no RGB space has these chromaticities")
    scale = np.linalg.solve(columns[:, :3], columns[:, 3] / y[3])
    return np.multiply(columns[:, :3], scale)


def rgb_to_rgb(source: Sequence[float], target: Sequence[float]) -> Matrix:
    """3 × 3 between linear RGB spaces, whites adapted by Bradford's cone response.

    Raises:
        ValueError: as `rgb_to_xyz`.
    """
    first, last = rgb_to_xyz(source), rgb_to_xyz(target)
    seen_first, seen_last = _BRADFORD @ first.sum(axis=1), _BRADFORD @ last.sum(axis=1)
    adapt = np.linalg.solve(_BRADFORD, np.diag(seen_last / seen_first) @ _BRADFORD)
    return np.asarray(np.linalg.solve(last, adapt @ first), np.float64)


TRANSFERS = {
    8: "lin_{}_scene",
    13: "srgb_{}_display",
    16: "pq_{}_display",
    18: "hlg_{}_display",
}
"""Transfer characteristics of H.273, table 3, that are not the display gamma of video."""

OTHER_PRIMARIES = {9: "rec2020", 11: "p3d65", 12: "p3d65"}
"""Colour primaries of H.273, table 2; the others are within a hair of BT.709's."""

VIDEO = "g24_{}_display"

CODED_PRIMARIES = {1: "rec709", 5: "rec709", 6: "rec709", **OTHER_PRIMARIES}
"""Primaries by their code point, for files that name them outright."""

CODED_TRANSFERS = {
    **dict.fromkeys((1, 6, 14, 15), VIDEO),
    4: "g22_{}_display",
    5: "g28_{}_display",
    **TRANSFERS,
}
"""Names of spaces by their transfer's code point, to be completed by the primaries."""
