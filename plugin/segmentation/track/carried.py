"""Masks that a pass in frame order leaves on disk, for workers to read.

A carried mask is an 8-bit RGB PNG of the plate's size: red its coverage, green 255 where it is
unsure. `track.json` beside says from what they were made and how sure each frame is; a second run
with the same recipe, for the same frames or fewer, takes them as they are.
"""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from plugin.disk.atomic import made, write_whole
from plugin.disk.inputs import read_whole
from plugin.errors import FrameError, PictureError
from plugin.framerange import FrameRange
from plugin.plates.companions.pictures import digest_of
from plugin.segmentation.plans import Request, asked_frames
from plugin.types import FloatArray

_MOST_RECORD = 256 << 20
"""Bytes of `track.json`: a hundred a frame."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    plate: dict[int, str]
    confidence: dict[int, float]
    digests: dict[int, str]


def carried_file(folder: Path, number: int) -> Path:
    """The carried mask of one frame."""
    return folder / f"track.{number:04d}.png"


def reached(request: Request, keys: FrameRange) -> FrameRange:
    """The plate's frames from the first to the last of those asked for and the keys."""
    asked = asked_frames(request.shot, request.plate.info)
    first = min(keys.first, asked.first) if asked else keys.first
    last = max(keys.last, asked.last) if asked else keys.last
    return FrameRange.of(n for n in request.plate.info.frames if first <= n <= last)


class CarriedMasks:
    """A folder of carried masks, to be filled or found full.

    Args:
        folder: where they lie.
        request: the shot and its plate.
        recipe: sha256 of what they are made from besides the plate.
        frames: which there are to be.
    """

    def __init__(self, folder: Path, request: Request, recipe: str, frames: FrameRange) -> None:
        self._folder = folder
        self._frames = frames
        # By number: the same pictures in another order are another shot.
        self._plate = {number: request.plate.digest(number) for number in frames}
        text = json.dumps([recipe, request.colour])
        self._recipe = hashlib.sha256(text.encode()).hexdigest()
        self._confidence: dict[int, float] = {}
        self._digests: dict[int, str] = {}

    def kept(self) -> dict[int, float] | None:
        """The confidence of each frame, if an earlier run left them all, made from the same."""
        try:
            record = _Record.model_validate_json(
                read_whole(self._folder / "track.json", _MOST_RECORD)
            )
        except (OSError, ValidationError):
            return None
        numbers = set(self._frames)
        if record.recipe != self._recipe or not numbers <= set(record.digests):
            return None
        # A mask hangs on the frames between it and its keys, and those are among the ones asked.
        if any(record.plate.get(number) != plate for number, plate in self._plate.items()):
            return None
        try:
            same = all(
                digest_of(carried_file(self._folder, number)) == record.digests[number]
                for number in numbers
            )
        except (PictureError, FrameError):
            return None
        return {n: record.confidence.get(n, 0.0) for n in sorted(numbers)} if same else None

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made.
        """
        made(self._folder)

    def save(
        self,
        number: int,
        coverage: FloatArray,
        unsure: npt.NDArray[np.bool_],
        confidence: float,
    ) -> None:
        """Write one mask, `H × W` of the plate.

        Raises:
            OutputError: the disk refuses.
        """
        red = np.rint(np.clip(coverage, 0, 1) * 255).astype(np.uint8)
        green = unsure.astype(np.uint8) * np.uint8(255)
        _, png = cv2.imencode(".png", np.dstack([np.zeros_like(red), green, red]))
        data = png.tobytes()
        write_whole(carried_file(self._folder, number), data, durable=False)
        self._confidence[number] = round(confidence, 4)
        self._digests[number] = hashlib.sha256(data).hexdigest()

    def finish(self) -> dict[int, float]:
        """Write the record; the confidence of each frame.

        Raises:
            OutputError: the disk refuses.
        """
        record = _Record(
            recipe=self._recipe,
            plate=self._plate,
            confidence=self._confidence,
            digests=self._digests,
        )
        write_whole(self._folder / "track.json", record.model_dump_json().encode())
        return self._confidence
