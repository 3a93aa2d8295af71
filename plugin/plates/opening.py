"""`open_plate`: from what a user typed to a plate that is known to be readable."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from plugin.disk.inputs import Sum
from plugin.errors import PlateError
from plugin.pattern import FramePattern
from plugin.plates.images.sequence import SequencePlate
from plugin.plates.nearby import nothing_there
from plugin.plates.sniff import VIDEO_READERS, reader_of
from plugin.request.shot import Shot
from plugin.types import FloatArray, PlateSource, Window


@runtime_checkable
class AlphaSource(Protocol):
    """A plate that may carry an alpha of its own: ProRes 4444, EXR, PNG, TIFF. All of ours are."""

    @property
    def has_alpha(self) -> bool:
        """Whether there is one."""

    def read_alpha(self, number: int) -> FloatArray | None:
        """`H × W` float32 within [0, 1]; None where there is none.

        Raises:
            FrameError: the frame is missing or damaged.
        """


@runtime_checkable
class _Summed(Protocol):
    def file_sum(self) -> Sum | None: ...


def open_plate(
    plate: str,
    *,
    start_frame: int = 1001,
    known: Sum | None = None,
    layer: str = "",
) -> PlateSource:
    """Open a plate and check that it can be read as a whole, headers only but for one video frame.

    Works with `contextlib.closing`. Nothing but files is opened: no address, no script.

    Args:
        plate: a video file (mov, mp4, mkv, webm, mxf, avi), a pattern (`plate.%04d.exr`,
            `plate.####.exr`) or one image (EXR, DPX, Cineon, TIFF, PNG, JPEG).
        start_frame: number of a video's first frame, and of an image whose name has no number.
        known: what a video was when it was summed, which saves reading the file through; another
            is refused. For a sequence, whose frames have a sum each, it means nothing.
        layer: an EXR's layer, view or part; empty for the main picture.

    Raises:
        PlateError: it is missing, cut short, interlaced, oversized, or of a kind that is not read.
        FrameRangeError: the pattern cannot be understood.
    """
    path = Path(plate)
    pattern = FramePattern.of(plate)
    if pattern is not None:
        return SequencePlate(pattern, start_frame=start_frame, layer=layer)
    if "://" not in plate and not path.is_file():
        raise nothing_there(path)
    reader = reader_of(path)
    if reader in VIDEO_READERS and layer:
        raise PlateError("a video has no layers", where=f"--layer {layer}", fix="leave it out")
    if reader in VIDEO_READERS:
        from plugin.plates.video.plate import VideoPlate  # FFmpeg is not loaded for pictures

        return VideoPlate(path, reader, start_frame=start_frame, known=known)
    return SequencePlate(path, start_frame=start_frame, layer=layer)


def plate_of(
    shot: Shot,
    *,
    known: Sum | None = None,
    canvas: Window | None = None,
    one_colour: bool = True,
) -> PlateSource:
    """`open_plate`, the shot's; what else there is as of `settle`."""
    source = open_plate(shot.plate, start_frame=shot.start_frame, known=known, layer=shot.layer)
    settle(source, canvas, one_colour=one_colour)
    return source


def settle(source: PlateSource, canvas: Window | None, *, one_colour: bool) -> None:
    """How a sequence's frames are given from here on; of a video all are alike.

    Args:
        source: an open plate.
        canvas: from `check_frames`: the window on which every frame is laid, where their data
            windows differ; by default the first file's, and others are refused.
        one_colour: frames whose tags say another linear space are brought to the first one's.
            False where a space was said for all of them.
    """
    if isinstance(source, SequencePlate):
        source.settle(canvas, one_colour=one_colour)


def plate_sum(source: PlateSource) -> Sum | None:
    """The sum of a video's or an image's file, read through where it is not known yet.

    None for a sequence: each frame has its own, `source.digest(number)`.

    Raises:
        PlateError: the file is gone.
        FrameError: the image is gone.
    """
    return source.file_sum() if isinstance(source, _Summed) else None
