"""Masks that a pass in frame order leaves on disk, for workers to read.

A carried mask is an 8-bit RGB PNG of the plate's size: red its coverage, green 255 where it is
unsure. `track.json` beside says from what they were made, how sure each frame is and where another
key would help most, for hosts to go there; a second run with the same recipe, for the same frames
or fewer, takes them as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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

_SURE = 0.9
"""A frame of that confidence needs no key."""

_SERVES = 0.98
"""What is left of a key's confidence with every frame away from it."""

_REACH = 120
"""Frames beyond which a key does nothing."""

_WORTH = 1.0
"""A key must gain at least as much confidence, all in all, as one lost frame lacks."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    plate: dict[int, str]
    confidence: dict[int, float]
    digests: dict[int, str]
    key_wanted: int | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What a pass has come to.

    Attributes:
        confidence: of each frame, 0 to 1.
        key_wanted: the frame on which one more key would gain most, of those that the pass was
            asked for; None where it would gain next to nothing.
    """

    confidence: dict[int, float]
    key_wanted: int | None


def carried_file(folder: Path, number: int) -> Path:
    """The carried mask of one frame."""
    return folder / f"track.{number:04d}.png"


def reached(request: Request, keys: FrameRange) -> FrameRange:
    """The plate's frames from the first to the last of those asked for and the keys."""
    asked = asked_frames(request.shot, request.plate.info)
    first = min(keys.first, asked.first) if asked else keys.first
    last = max(keys.last, asked.last) if asked else keys.last
    return FrameRange.of(n for n in request.plate.info.frames if first <= n <= last)


def most_helpful(confidence: Mapping[int, float]) -> int | None:
    """The frame on which one more key would gain most; None where it would gain next to nothing.

    A key is sure itself and serves its neighbours less and less; what it gains is what it adds to
    their confidence, so that a long weak stretch counts more than one lost frame, and its middle
    more than its ends.
    """
    numbers = np.array(sorted(confidence), np.int64)
    values = np.array([confidence[int(number)] for number in numbers], np.float64)
    best, found = _WORTH, None
    for number in numbers[values < _SURE]:
        near = slice(*np.searchsorted(numbers, [number - _REACH, number + _REACH + 1]))
        served = _SERVES ** np.abs(numbers[near] - number)
        gain = float(np.maximum(served - values[near], 0).sum())
        if gain > best:
            best, found = gain, int(number)
    return found


class CarriedMasks:
    """A folder of carried masks, to be filled or found full.

    Args:
        folder: where they lie.
        request: the shot and its plate.
        recipe: sha256 of what they are made from besides the plate.
        frames: which there are to be.
    """

    def __init__(self, folder: Path, request: Request, recipe: str, frames: FrameRange) -> None:
        self._folder, self._request = folder, request
        self._frames = frames
        # By number: the same pictures in another order are another shot.
        self._plate = {number: request.plate.digest(number) for number in frames}
        text = json.dumps([recipe, request.colour])
        self._recipe = hashlib.sha256(text.encode()).hexdigest()
        self._confidence: dict[int, float] = {}
        self._digests: dict[int, str] = {}

    def kept(self) -> Carried | None:
        """What an earlier run left, if it left all of these frames, made from the same.

        Where a key would help most is of all that run's frames: a task of a farm that asks for a
        few of them says the same as the others.
        """
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
        confidence = {n: record.confidence.get(n, 0.0) for n in sorted(numbers)}
        return Carried(confidence, record.key_wanted) if same else None

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

    def finish(self) -> Carried:
        """Write the record; what the pass has come to.

        Raises:
            OutputError: the disk refuses.
        """
        asked = asked_frames(self._request.shot, self._request.plate.info)
        wanted = most_helpful({n: self._confidence[n] for n in asked if n in self._confidence})
        record = _Record(
            recipe=self._recipe,
            plate=self._plate,
            confidence=self._confidence,
            digests=self._digests,
            key_wanted=wanted,
        )
        write_whole(self._folder / "track.json", record.model_dump_json().encode())
        return Carried(self._confidence, wanted)
