"""Many mattes at once, as the bytes that a training bank holds."""

import multiprocessing
import os
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import count as numbers
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from model.training.mattes.registry import KINDS, render_any
from plugin.errors import SurroundingsError

_CHUNK: Final = 8


@dataclass(frozen=True)
class MatteBank:
    """N mattes of S × S.

    Attributes:
        alphas: N × S × S uint8, 0 to 255.
        colours: N × S × S × 3 uint8 RGB, straight; 0 where there is no colour field.
        has_colour: N bool: whether `colours` holds something; else any photograph is the texture.
        kinds: N int64, indices into `KINDS`.
    """

    alphas: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    has_colour: NDArray[np.bool_]
    kinds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.alphas)


class Rendering:
    """Mattes rendered by other processes while this one does something else.

        with Rendering(512, seed=0, workers=14) as rendering:
            while training:
                if rendering.ready:
                    piece = next(rendering)

    Pieces come in the order of their seeds, the same for any number of workers; a few are made
    ahead. The workers have one thread each and step back for whatever else wants the cores. They
    end with `close`, and by themselves when this process is gone. Each starts a fresh interpreter,
    so the caller's main module must be importable.

    Args:
        size: S, px.
        seed: of the first matte; the next have the numbers after it.
        workers: processes.
        count: how many mattes in all; None goes on without end.
        chunk: mattes a piece.
    """

    def __init__(
        self, size: int, seed: int, *, workers: int, count: int | None = None, chunk: int = _CHUNK
    ) -> None:
        # Not forked: the caller may hold threads (torch, OpenCV) that a fork would not carry over.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_settle)
        starts = numbers(0, chunk) if count is None else range(0, count, chunk)
        self._jobs = (
            (chunk if count is None else min(chunk, count - start), size, seed + start)
            for start in starts
        )
        self._ahead: deque[Future[MatteBank]] = deque()
        for _ in range(2 * workers):
            self._submit()

    def _submit(self) -> None:
        if (job := next(self._jobs, None)) is not None:
            self._ahead.append(self._pool.submit(render_bank, *job))

    @property
    def ready(self) -> bool:
        """Whether the next piece is there, so that `next` does not wait."""
        return bool(self._ahead) and self._ahead[0].done()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MatteBank:
        """The next piece; waits for it.

        Raises:
            StopIteration: all `count` were given.
            SurroundingsError: a worker ended before its time.
        """
        if not self._ahead:
            raise StopIteration
        try:
            piece = self._ahead.popleft().result()
            self._submit()
        except BrokenProcessPool as error:
            raise SurroundingsError(
                "a process that renders mattes has ended",
                where="training mattes",
                fix="see whether memory ran out; take fewer workers",
            ) from error
        return piece

    def close(self) -> None:
        """End the workers; waits for the pieces they are at (a second or two)."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def render_bank(count: int, size: int, seed: int, workers: int = 1) -> MatteBank:
    """`count` mattes with seeds `seed`, `seed` + 1, …; the same for any number of workers.

    Args:
        count: N.
        size: S, px.
        seed: of the first matte.
        workers: processes, as of `Rendering`; 1 renders in this one.
    """
    bank = MatteBank(
        np.zeros((count, size, size), np.uint8),
        np.zeros((count, size, size, 3), np.uint8),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
    )
    if workers <= 1:
        for index in range(count):
            matte = render_any(size, seed + index)
            bank.alphas[index] = np.rint(matte.alpha * 255)
            bank.kinds[index] = KINDS.index(matte.kind)
            if matte.colour is not None:
                bank.colours[index], bank.has_colour[index] = np.rint(matte.colour * 255), True
        return bank
    done = 0
    with Rendering(size, seed, workers=workers, count=count) as rendering:
        for piece in rendering:
            here = slice(done, done := done + len(piece))
            for whole, part in zip(vars(bank).values(), vars(piece).values(), strict=True):
                whole[here] = part
    return bank


def _settle() -> None:
    """A worker's one thread, its place behind others, and its end when its parent is gone."""
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(5)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            # The executor's own pipes are held open by its workers: nothing else would end them.
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
