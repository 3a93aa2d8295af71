"""Masks in files, read by frame number: pictures or a video, as their reading says."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from plugin.disk.inputs import Sum
from plugin.errors import FrameError, told_as
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.plates import AlphaSource, open_plate
from plugin.plates.companions.pictures import digest_of, is_picture, read_named
from plugin.plates.companions.places import PictureHeader, laid
from plugin.plates.companions.values import Reading, coverage_of
from plugin.plates.images.exr_layers import Part
from plugin.segmentation.plans import Settings
from plugin.types import FloatArray, Frame, Mask, PlateInfo, PlateSource, Window

HELD_CONFIDENCE = 0.5


class MaskSettings(Settings, method="mask"):
    """Where the masks are and how their values are meant.

    Attributes:
        path: a pattern, a picture, or a video; absolute.
        keys: frames that have a mask.
        start_frame: number of a video's first frame.
        video_digest: sha256 of a video's file.
        video_stamp: the state in which it was summed.
        reading: how their values become coverage.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"path", "keys", "video_stamp"})

    path: str
    keys: FrameRange
    start_frame: int
    video_digest: str = ""
    video_stamp: str = ""
    reading: Reading = Reading()

    @property
    def video(self) -> Sum | None:
        """What a video was when it was summed."""
        return Sum(self.video_digest, self.video_stamp) if self.video_digest else None


class MaskReader:
    """Reads one frame's mask; a frame without one holds the nearest earlier one."""

    def __init__(self, settings: MaskSettings, info: PlateInfo) -> None:
        self._settings = settings
        self._info = info
        self._keys = settings.keys.numbers
        self._pattern = FramePattern.of(settings.path)
        self._still = self._pattern is not None or is_picture(settings.path)
        self._video: PlateSource | None = None

    def segment(self, frame: Frame) -> Mask:
        """The mask as it stands in its file, `confidence` 0.5 where it is held.

        Raises:
            FrameError: the mask is missing, damaged or of another size by now.
        """
        key = self._key(frame.number)
        reading = self._settings.reading
        coverage = coverage_of(self.stored(key, reading.channels), reading)
        if key == frame.number:
            return Mask(key, coverage)
        return Mask(frame.number, coverage, None, HELD_CONFIDENCE, held=key)

    @told_as(FrameError)
    def digest(self, number: int) -> str:
        """sha256 of the settings and of the mask's file."""
        key = self._key(number)
        content = digest_of(self.file(key)) if self._still else self._opened().digest(key)
        return self._settings.digest(content, f"{key}")

    def file(self, key: int) -> Path:
        """The picture of one key."""
        return Path(self._settings.path) if self._pattern is None else self._pattern.path(key)

    @told_as(FrameError)
    def stored(self, key: int, names: Sequence[str]) -> FloatArray:
        """A key's values as stored, on the plate: `H × W × C`, a channel a name.

        Raises:
            FrameError: the file is missing, damaged, or of another size by now.
        """
        reading = self._settings.reading
        if self._still:
            return read_named(
                self.file(key),
                self._info,
                reading.part,
                tuple(names),
                scaled=reading.scaled,
            )[1]
        video = self._opened()
        planes: list[FloatArray] = []
        if set(names) & set("RGB"):
            rgb = video.read(key).rgb
            planes = [rgb[..., "RGB".index(name)] for name in names if name in "RGB"]
        if "A" in names and isinstance(video, AlphaSource):
            alpha = video.read_alpha(key)
            if alpha is not None:
                planes.append(alpha)
        return laid(np.dstack(planes), video_header(self._settings.path, video), self._info)

    def _key(self, number: int) -> int:
        key = key_of(self._keys, number)
        if key is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give a mask for it")
        return key

    def _opened(self) -> PlateSource:
        if self._video is None:
            self._video = open_plate(
                self._settings.path,
                start_frame=self._settings.start_frame,
                known=self._settings.video,
            )
        return self._video


def key_of(keys: Sequence[int], number: int) -> int | None:
    """The key whose mask a frame has: its own, or the nearest before; None before the first."""
    position = bisect_right(keys, number)
    return keys[position - 1] if position else None


def video_header(path: str, video: PlateSource) -> PictureHeader:
    """A video as if it were a picture: its size, and the channels that its frames have."""
    info = video.info
    whole = Window.of_size(info.width, info.height)
    alpha = isinstance(video, AlphaSource) and video.has_alpha
    part = Part(0, "", "", ("R", "G", "B", *(("A",) if alpha else ())))
    return PictureHeader(Path(path), whole, whole, (part,), float((1 << info.bits) - 1))


def read_coverage(path: Path, info: PlateInfo, reading: Reading) -> FloatArray:
    """Coverage of one mask picture on the plate's data window, `H × W` float32.

    Raises:
        PictureError: the file is missing, damaged, or of another size.
    """
    names = reading.channels
    _, values = read_named(path, info, reading.part, names, scaled=reading.scaled)
    return coverage_of(values, reading)
