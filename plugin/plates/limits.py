"""Sizes that no plate passes, checked from the header, before a pixel is decoded."""

from plugin.errors import PlateError

MAX_SIDE = 32_768
"""Most pixels across or down."""

MAX_PIXELS = 2**28
"""Most pixels in one frame: 16384², 3 GiB as float32 RGB. A flat EXR of 4 MB can unpack to that."""


def check_size(width: int, height: int, where: object) -> None:
    """Refuse a frame that is empty, or so large that decoding it would take the machine down.

    Raises:
        PlateError: the header asks for no pixels, or for more than the limits.
    """
    if width < 1 or height < 1:
        raise PlateError(
            f"the header gives a size of {width} × {height}",
            where=where,
            fix="the file is damaged: render or copy it again",
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PlateError(
            f"{width} × {height} pixels is over the limit of {MAX_SIDE} a side and"
            f" {MAX_PIXELS // 2**20} Mi in all",
            where=where,
            fix="the header is damaged, or the plate has to be cropped or scaled first",
        )
