"""What a worker holds of the frames around the one it is at."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

import numpy as np

from plugin.disk.inputs import Ledger, note
from plugin.image.channels import as_bytes
from plugin.image.regions import Flags
from plugin.result.raw_files import Raw
from plugin.stabilise.flow import RawFrame
from plugin.types import UNKNOWN, FloatArray, Frame, Stored, Window

LARGE = 16_000_000
"""Pixels above which a frame of the plate is not kept while its neighbours are matted.

It is 24 bytes each, of several frames. 4K is below; at 8K, decoding again is a small part of what
the network takes.
"""

Area = tuple[slice, slice]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A frame of the plate.

    Attributes:
        frame: in the plate's own space.
        seen: display-referred.
        area: rows and columns of the plate's data window that it has.
    """

    frame: Frame
    seen: Frame
    area: Area

    @property
    def rgb(self) -> FloatArray:
        """`H × W × 3` float32, display-referred."""
        return self.seen.rgb

    def without_plate(self) -> Self:
        """The same, without the pixels in the plate's own space, which the network does not see."""
        return replace(self, frame=replace(self.frame, rgb=np.zeros((0, 0, 3), np.float32)))


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a frame's raw alpha is made from.

    Attributes:
        digests: of the plate's frame, and of what makes its mask and its trimap.
        recipe: sha256 of all that determines the raw alpha as stored.
        read: the files, as they were read.
        network: `Matter.digest` of the network that makes it; empty where none does.
    """

    digests: tuple[str, ...]
    recipe: str
    read: Ledger
    network: str = ""

    @property
    def plate(self) -> str:
        """Of the plate's frame."""
        return self.digests[0]

    def note(self) -> None:
        """Enter the files into the ledger that is open.

        Raises:
            FrameError: one of them was another before.
        """
        for path, found in self.read.items():
            note(path, found)


@dataclass(slots=True, eq=False)
class Matted:
    """A frame that has been through the network.

    Attributes:
        number: the plate's frame number.
        inputs: what it was made from: these very bytes.
        raw: alpha and trimaps.
        source: the plate's frame, until the frame's own alpha is written; None where it is so
            large that it is read again rather than kept.
        steady: what stabilisation needs of it; None where the frame has no neighbours.
    """

    number: int
    inputs: Inputs
    raw: Raw
    source: Source | None = field(repr=False)
    steady: RawFrame | None = None


class Once(Generic[T]):
    """Values by frame number, each made once however many threads ask for it.

    Args:
        most: how many are kept: those nearest to the one asked for last.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[int, Future[T]] = {}

    def get(self, number: int, make: Callable[[int], T]) -> T:
        """The value of a frame; what `make` raises is raised, and forgotten."""
        with self._lock:
            future = self._kept.get(number)
            ours = future is None
            if future is None:
                future = self._kept[number] = Future()
            while len(self._kept) > self._most:
                # Frames are worked on in windows, whose own order is not that of their numbers.
                del self._kept[max(self._kept, key=lambda kept: abs(kept - number))]
        if ours:
            try:
                future.set_result(make(number))
            except BaseException as error:
                with self._lock:
                    if self._kept.get(number) is future:
                        del self._kept[number]
                future.set_exception(error)
        return future.result()


def _is_soft(alpha: Stored) -> Flags:
    """Above 0 and below 1, of what is stored within them."""
    if alpha.dtype == np.float16:  # whose codes are in the order of their values
        codes = alpha.view(np.uint16) - np.uint16(1)  # that of 0 becomes the largest
        return np.asarray(codes < np.uint16(0x3C00 - 1))
    return np.asarray((alpha > 0) & (alpha < 1))


def raw_frame(number: int, raw: Raw, source: Source, whole: Window, own: Window) -> RawFrame:
    """A frame as stabilisation sees it: all of the plate's data window."""
    alpha, there = raw.alpha, None
    if own != whole:
        alpha = np.zeros(raw.trimap.shape, raw.alpha.dtype)
        alpha[source.area] = raw.alpha
        there = np.zeros(raw.trimap.shape, np.bool_)
        there[source.area] = True
    region = (raw.trimap == UNKNOWN) | _is_soft(alpha)
    if there is not None:
        region &= there
    return RawFrame(number, as_bytes(source.rgb), alpha, region, there)
