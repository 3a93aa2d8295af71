"""The bundled network, for a worker that calls it from more than one thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from plugin.driver.plan import Plan
from plugin.errors import SurroundingsError
from plugin.types import FloatArray, LabelArray

if TYPE_CHECKING:
    from model import Matter as Network


@runtime_checkable
class Confident(Protocol):
    """A `Matter` that also says how sure it is of its adapted trimap, by pixel."""

    def with_confidence(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        """As `Matter.__call__`, and the share of the class that was chosen, 0 to 1."""


_KEPT = 256 << 20
"""Bytes of rectangles: those of one frame of 4K, or of a few smaller ones."""


class SharedMatter:
    """A plan's network on this machine, loaded for its first frame.

    Its number of threads is that of the process, whichever thread calls it: OpenMP counts anew in
    every thread; how an operation is split changes its last bits, and a result must not depend on
    that.

    Args:
        plan: the job; its device and precision are settled here.
        turn: called before each rectangle, and what was said of rectangles is kept: for who mattes
            one frame again and again.

    Raises:
        DeviceError: there is no such device here, or it has not that precision.
    """

    def __init__(self, plan: Plan, turn: Callable[[], None] | None = None) -> None:
        self._plan, self._turn = plan, turn
        self._local = threading.local()

    @property
    def digest(self) -> str:
        """See `plugin.types.Matter`; nothing is loaded for it."""
        made = self.__dict__.get("_network")
        return self._planned[1] if made is None else str(made.digest)

    @property
    def kind(self) -> str:
        """Of the device: `model.inference.device.kind_of`."""
        return self._planned[0]

    @cached_property
    def _planned(self) -> tuple[str, str]:
        """Kind of the device, and the digest of the network as it was asked for."""
        from model.inference.device import choose_device, choose_precision, kind_of
        from model.matter import largest_of, network_digest

        shot, device = self._plan.shot, choose_device(self._plan.device)
        precision, kind = choose_precision(shot.precision, device), kind_of(device)
        largest = largest_of(shot.tile, device)
        return kind, network_digest(self._plan.weights, precision, kind, largest)

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """See `plugin.types.Matter`; one call at a time."""
        self._settle()
        return self._network(image, trimap)

    def with_confidence(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        """See `Confident`; one call at a time."""
        self._settle()
        return self._network.with_confidence(image, trimap)

    def _settle(self) -> None:
        if not getattr(self._local, "settled", False):
            from model.inference.threads import settle_thread

            settle_thread()
            self._local.settled = True

    @cached_property
    def _network(self) -> Network:
        from model import Matter

        plan = self._plan
        shot = plan.shot
        again = "run the same command again"
        if plan.tuned and not Path(plan.tuned).is_file():
            what, fix = "the weights tuned to the shot are gone", f"{again}, its folder shared"
            raise SurroundingsError(what, where=plan.tuned, fix=fix)
        model = plan.tuned or shot.model
        network = Matter(model, device=plan.device, precision=shot.precision, tile=shot.tile)
        if network.weights.sha256 != plan.weights:
            what = "the weights have changed since the job began"
            raise SurroundingsError(what, where=network.weights.path, fix=again)
        if self._turn is not None:
            network.remember(_KEPT, self._turn)
        return network
