"""A frame's launches as one: recorded as a CUDA graph, and replayed.

A frame is some 1 400 launches, which cost the host 10 ms and more, and several workers of a card
stand in line for it. A graph is one launch. It computes what it was recorded from and nothing else,
at the same addresses: so it is proved against the ordinary way, to the bit, before it is believed,
and wherever recording fails the ordinary way remains.
"""

import logging
from collections.abc import Callable, Hashable
from typing import TypeAlias

import torch
from torch import Tensor

Work: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Launches on a device, without a wait of the host."""

_LOG = logging.getLogger("adamatte")

_MOST = 4
"""Graphs that are recorded one after the other; beyond that, kinds change too often."""


class Recorder:
    """Does work of a kind again and again; from its third time in a row on as a graph.

    One graph is kept: shots have one size, and a graph holds as much memory as the work takes.

    Attributes:
        refused: why nothing is recorded any more; empty while it is.
    """

    def __init__(self) -> None:
        self.refused = ""
        self._kind: Hashable = None
        self._graph: _Graph | None = None
        self._left = _MOST

    def __call__(
        self, kind: Hashable, work: Work, one: Tensor, other: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What `work` makes of both tensors.

        Args:
            kind: equal where the same launches on tensors of the same shapes are to be done.
            work: does it; what else it reads may not move while the work lives.
            one: on the device.
            other: on the device.
        """
        again = kind == self._kind
        if again and self._graph is not None:
            return self._graph.replayed(one, other)
        self._kind, self._graph = kind, None
        made = work(one, other)
        if again and not self.refused:
            self._record(work, one, other, made)
        return made

    def _record(self, work: Work, one: Tensor, other: Tensor, made: tuple[Tensor, Tensor]) -> None:
        try:
            graph = _Graph(work, one, other)
            found = graph.replayed(one, other)
            same = all(torch.equal(a, b) for a, b in zip(found, made, strict=True))
        except (RuntimeError, AssertionError) as error:  # also of no memory; torch asserts a CUDA
            self.refused = " ".join(str(error).split())[:200]
        else:
            self.refused = "" if same else "its pixels are others"
            self._graph = graph if same else None
            self._left -= 1
            if not self._left:
                self.refused = self.refused or "frames differ too often in what is unknown"
        if self.refused:
            _LOG.info("no more graphs on this device: %s", self.refused)


class _Graph:
    """Work that was recorded, with the tensors that it reads and writes."""

    def __init__(self, work: Work, one: Tensor, other: Tensor) -> None:
        self._given = one.clone(), other.clone()
        self._work = work  # what it reads besides has to live as long
        here = torch.cuda.current_stream()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            work(*self._given)  # libraries make their handles for a stream at its first use
        here.wait_stream(aside)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()  # a graph has its own memory, as much again
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=aside, capture_error_mode="thread_local"):
            self._made = work(*self._given)

    def replayed(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """What the work makes of other values."""
        for kept, given in zip(self._given, (one, other), strict=True):
            kept.copy_(given)
        self._graph.replay()
        first, second = self._made
        return first.clone(), second.clone()
