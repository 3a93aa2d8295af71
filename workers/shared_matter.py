"""The bundled network, for a worker that calls it from more than one thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from plugin.driver.plan import Plan
from plugin.types import FloatArray, LabelArray, Matter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SettledMatter", "bundled_matter"]


class SettledMatter:
    """A network whose number of threads is that of the process, whichever thread calls it.

    OpenMP counts anew in every thread; how an operation is split changes its last bits, and a
    result must not depend on that.

    Args:
        matter: the network.
        settle: called once in each thread, before its first frame.
    """

    def __init__(self, matter: Matter, settle: Callable[[], None]) -> None:
        self._matter, self._settle = matter, settle
        self._local = threading.local()

    @property
    def digest(self) -> str:
        """See `plugin.types.Matter`."""
        return self._matter.digest

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """See `plugin.types.Matter`."""
        if not getattr(self._local, "settled", False):
            self._settle()
            self._local.settled = True
        return self._matter(image, trimap)


def bundled_matter(plan: Plan) -> Matter:
    """The network of a plan."""
    from model import Matter as NetworkMatter
    from model.inference.threads import settle_thread

    network = NetworkMatter(
        plan.shot.model, device=plan.device, precision=plan.precision, tile=plan.shot.tile
    )
    return SettledMatter(network, settle_thread)
