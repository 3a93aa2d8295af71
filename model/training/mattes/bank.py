"""Many mattes at once, as the bytes that a training bank holds."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.training.mattes.registry import KINDS, render_any

__all__ = ["MatteBank", "render_bank"]

_Item = tuple[NDArray[np.uint8], NDArray[np.uint8] | None, int]


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


def render_bank(count: int, size: int, seed: int, workers: int = 1) -> MatteBank:
    """`count` mattes with seeds `seed`, `seed` + 1, …; the same for any number of workers.

    Args:
        count: N.
        size: S, px.
        seed: of the first matte.
        workers: processes; 1 renders in this one. More start fresh interpreters, so the caller's
            main module must be importable.
    """
    alphas = np.zeros((count, size, size), np.uint8)
    colours = np.zeros((count, size, size, 3), np.uint8)
    has_colour = np.zeros(count, np.bool_)
    kinds = np.zeros(count, np.int64)

    def keep(index: int, item: _Item) -> None:
        alphas[index], kinds[index] = item[0], item[2]
        if item[1] is not None:
            colours[index], has_colour[index] = item[1], True

    jobs = [(size, seed + index) for index in range(count)]
    if workers <= 1:
        for index, job in enumerate(jobs):
            keep(index, _item(job))
    else:
        # Not forked: the caller may hold threads (torch, OpenCV) that a fork would not carry over.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
            for index, item in enumerate(pool.map(_item, jobs, chunksize=4)):
                keep(index, item)
    return MatteBank(alphas, colours, has_colour, kinds)


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _item(job: tuple[int, int]) -> _Item:
    """One matte as bytes: alpha, colour or None, kind."""
    matte = render_any(*job)
    alpha = np.rint(matte.alpha * 255).astype(np.uint8)
    colour = None if matte.colour is None else np.rint(matte.colour * 255).astype(np.uint8)
    return alpha, colour, KINDS.index(matte.kind)
