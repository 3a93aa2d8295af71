"""The few types that travel through the program, and its four seams.

    plate ─► segmentation ─► trimap ─► override ─► AdaMatting ─► alpha ─► EXR

Arrays are C-contiguous, rows from the top, y down, x right; `H × W` are those of the plate's data
window. A frame is its `number`, never its position in a list.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, field_validator

from plugin.disk.inputs import Sum
from plugin.framerange import FrameRange
from plugin.plate_info import PlateInfo, PlateKind, Sha256
from plugin.window import Window

__all__ = ["PlateInfo", "PlateKind", "Window"]

FloatArray = npt.NDArray[np.float32]
LabelArray = npt.NDArray[np.uint8]
Stored = npt.NDArray[np.float16 | np.float32]
"""Pixels with the bits that a file keeps."""

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
"""The three classes of a trimap, as they stand in its files."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a plate.

    Attributes:
        number: the plate's frame number.
        rgb: `H × W × 3` float32 in the plate's own colour space (scene-linear may pass 1); finite.
        timecode: of this frame, where the plate has one.
        attributes: metadata to carry into the output, by EXR attribute name.
        data_window: the pixels that this frame has, where windows move from frame to frame; the
            rest of `rgb` is 0. None where it has all of the plate's data window.
        pixel_aspect: of this frame, where its file says another than the first; else None.
        digest: of the very bytes that became these pixels, as `PlateSource.digest`; empty where
            they are of no file.
        smpte: the two words of the file's own timecode (SMPTE ST 12-1), its field mark and user
            bits among them; None where it has none.
    """

    number: int
    rgb: FloatArray
    timecode: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    data_window: Window | None = None
    pixel_aspect: float | None = None
    digest: str = ""
    smpte: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What segmentation says of one frame.

    Attributes:
        number: the plate's frame number.
        coverage: `H × W` float32, 0 background to 1 subject; soft where the segmenter is soft.
        unsure: `H × W` bool, True where the segmenter does not know; None when it is sure.
        confidence: 0 to 1 for the frame as a whole.
        held: the frame whose mask is held for this one, which has none; None where it is its own.
        firm: how soft it is says how sure the segmenter is of the edge, and nothing of hair.
    """

    number: int
    coverage: FloatArray
    unsure: npt.NDArray[np.bool_] | None = None
    confidence: float = 1.0
    held: int | None = None
    firm: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trimap:
    """Definite background, unknown, definite foreground.

    Attributes:
        number: the plate's frame number.
        labels: `H × W` uint8 of `BACKGROUND`, `UNKNOWN` and `FOREGROUND` only.
    """

    number: int
    labels: LabelArray


class FrameState(StrEnum):
    """What became of a frame."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    QUARANTINED = "quarantined"


class FrameRecord(BaseModel):
    """What became of one frame, as a worker finds it and the manifest keeps it.

    Attributes:
        state: `done`, `skipped` (already there and proved whole), `failed`, or `quarantined` (it
            brought its worker down again and again, and was set aside).
        digest: sha256 of the alpha's pixels as stored.
        recipe: sha256 of everything that determines those pixels.
        seconds: wall time of the frame.
        stages: wall seconds by stage: `decode`, `segment`, `trimap`, `network`, `encode`, ….
        statistics: figures for the report: `unknown` (share of unknown pixels that went in),
            `overruled` (share of pixels where T̂ contradicts a definite input label), ….
        error: the contract's one line, when failed.
        plate: sha256 of the plate's frame: of its file, or of the video, as it was decoded.
        stamp: the state of the plate frame's file when it was summed.
        near: sha256 of the plate's frame of each neighbour that stabilisation looked at,
            empty for one that could not be had; None where that is not said.
        files: sha256 of what else was read for it and its neighbours, by path: masks, trimaps.
        pictures: sha256 of what determines each picture that is kept beside the alpha, by kind.
        request: key of what was asked, in the manifest.
        device: kind of the device that its network ran on: `cpu`, `cuda sm_90`; empty without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    state: FrameState
    digest: Sha256 = ""
    recipe: str = ""
    seconds: float = 0.0
    stages: dict[str, float] = {}
    statistics: dict[str, float] = {}
    error: str = ""
    plate: Sha256 = ""
    stamp: str = ""
    near: dict[int, Sha256] | None = None
    files: dict[str, Sha256] = {}
    pictures: dict[str, Sha256] = {}
    request: str = ""
    device: str = ""

    @field_validator("error", mode="after")
    @classmethod
    def _error_is_unicode(cls, text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()  # it may name any file


class FrameResult(FrameRecord):
    """What a worker reports: numbers and digests, never pixels.

    Attributes:
        number: the plate's frame number.
        read: every file that went into it, by path, as it was read.
    """

    model_config = ConfigDict(allow_inf_nan=True)

    number: int
    read: dict[str, Sum] = {}

    def record(self, request: str = "", plate: str = "") -> FrameRecord:
        """For the manifest: rounded, without figures that are not finite.

        Args:
            request: key of what was asked.
            plate: path of the plate as a whole; its own files stand elsewhere in the record.
        """
        plates = {self.plate, *(self.near or {}).values()}
        stamps = (found.stamp for found in self.read.values() if found.sha256 == self.plate)
        return FrameRecord(
            **self.model_dump(exclude={"number", "read"})
            | {
                "seconds": round(self.seconds, 4),
                "stages": _rounded(self.stages, 4),
                "statistics": _rounded(self.statistics, 6),
                "stamp": next(stamps, ""),
                "files": {
                    path: found.sha256
                    for path, found in self.read.items()
                    if found.sha256 not in plates and path != plate
                },
                "request": request,
            }
        )


def _rounded(figures: dict[str, float], digits: int) -> dict[str, float]:
    finite = ((name, float(value)) for name, value in figures.items() if math.isfinite(value))
    return {name: round(value, digits) for name, value in finite}


class PlateSource(Protocol):
    """A plate that is read by frame number. Not shared between threads or processes."""

    @property
    def info(self) -> PlateInfo:
        """What probing found."""

    def read(self, number: int) -> Frame:
        """Decode one frame; fastest in ascending order.

        Raises:
            FrameError: the frame is missing, damaged or of another size.
        """

    def digest(self, number: int) -> str:
        """sha256 that changes when this frame's pixels could have: of its file, or of the video.

        Raises:
            FrameError: the file is missing.
        """

    def close(self) -> None:
        """Give back file handles and decoders."""


class Segmenter(Protocol):
    """Frame to mask. The result depends on the frame and the settings alone, never on the order."""

    def segment(self, frame: Frame) -> Mask:
        """The mask of one frame.

        Args:
            frame: display-referred, `rgb` within [0, 1].

        Raises:
            FrameError: the mask of this frame cannot be had.
        """

    def digest(self, number: int) -> str:
        """sha256 of what this frame's mask is made from besides the plate: settings and files."""


class Matter(Protocol):
    """Image and trimap to adapted trimap and alpha."""

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """Matte one image.

        Args:
            image: `H × W × 3` float32, display-referred, within [0, 1].
            trimap: `H × W` uint8 of 0, 128 and 255.

        Returns:
            The adapted trimap T̂, `H × W` uint8 of 0, 128 and 255, and alpha, `H × W` float32
            within [0, 1].
        """

    @property
    def digest(self) -> str:
        """sha256 of weights and settings: whatever changes the pixels."""


class Executor(Protocol):
    """Runs frames somewhere: in this process, or on Ray's workers."""

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """Do every frame of every task once and yield results as they come, in any order.

        Args:
            job: the job's spec file (`plugin.driver.plan`), which every worker reads for itself.
            tasks: contiguous chunks; each goes to one worker.

        Raises:
            SurroundingsError: nothing more can be done here.
        """

    def stop(self) -> None:
        """Begin no more frames; `run` ends with the results of those in flight.

        Called from a signal's handler: it may do no more than take a note.
        """
