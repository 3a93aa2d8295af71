"""Painted pictures of an override: where they may lie, and how their pixels are read."""

from pathlib import Path, PureWindowsPath
from typing import Literal

import numpy as np
import numpy.typing as npt

from plugin.errors import FrameRangeError, OverrideError, PictureError, told_as
from plugin.pattern import FramePattern
from plugin.plates.companions.pictures import PICTURE_SUFFIXES, is_picture, read_picture
from plugin.trimap.band import labels_of
from plugin.types import LabelArray, PlateInfo

_SAME = 1.5 / 255


def refuse_path(image: str, where: str) -> None:
    """A picture's path is relative, goes down only, and is that of a picture.

    Raises:
        OverrideError: it is not.
    """
    parts = image.split("/")
    absolute = image.startswith("/") or bool(PureWindowsPath(image).drive)
    if absolute or "\\" in image or ".." in parts or not image.isprintable():
        raise OverrideError(
            f"the path {image[:100]!a} does not stay below the file's folder",
            where=where,
            fix="write it relative to the override file, with / and without ..",
        )
    if not is_picture(image):
        kinds = ", ".join(sorted(PICTURE_SUFFIXES))
        raise OverrideError(f"{image[:100]} is no picture", where=where, fix=f"one of {kinds}")


def picture_of(image: str, folder: Path, frame: int, where: str) -> Path:
    """The file of one frame.

    Raises:
        OverrideError: a link leads out of the folder, or the path cannot be followed.
    """
    try:
        pattern = folder / image
        with told_as(OverrideError, of=FrameRangeError, where=where):
            named = FramePattern.parse(pattern) if FramePattern.is_pattern(str(pattern)) else None
        path = pattern if named is None else named.path(frame)
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as problem:
        what = f"the path {image[:100]!a} cannot be followed"
        raise OverrideError(what, where=where, fix="check the file and its links") from problem
    if not inside:
        raise OverrideError(
            f"{path.name} is a link that leads out of the file's folder",
            where=where,
            fix="copy the picture there",
        )
    return path


def read_painted(
    path: Path, mode: Literal["replace", "merge"], info: PlateInfo
) -> tuple[LabelArray, npt.NDArray[np.bool_]]:
    """Labels of a painted picture, and where it has any, on the plate's data window.

    In `replace` mode it has them everywhere; in `merge` mode where its alpha is not 0, and
    everywhere if it has no alpha channel.

    Raises:
        PictureError: the picture is missing, damaged, of another size, or holds other values.
    """
    header, values = read_picture(path, info)
    painted = np.ones(values.shape[:2], np.bool_)
    if mode == "merge" and header.alpha is not None:
        painted = values[..., header.alpha] > 0
    colours = [i for i in range(values.shape[2]) if i != header.alpha] or [0]
    apart = np.ptp(values[..., colours], axis=2)[painted]
    if float(apart.max(initial=0)) > _SAME:
        what = "its channels differ where it is painted"
        raise PictureError(what, where=path, fix="paint in greys: 0, 128 and 255")
    return labels_of(values[..., header.grey], painted, path), painted
