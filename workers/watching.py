"""Whether the cluster that a job runs on still answers: no wait for it is without an end."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from workers.private_ray import Servants

Nodes: TypeAlias = Sequence[Mapping[str, float]]
"""What each machine of a cluster has, by resource: `CPU`, `GPU`, …."""

_ASK_S = 5.0
_SILENCE_S = 40.0
"""Of a cluster that was joined. Ray itself ends the process, without a word of ours, after 60."""


class Watch:
    """Looks after the cluster that this process is connected to.

    Args:
        ask: what each machine of the cluster has; may block for ever.
        private: it is this process's own: then its processes are looked at.
    """

    def __init__(self, ask: Callable[[], Nodes], *, private: bool) -> None:
        self._ask = ask
        self._servants = Servants() if private else None
        self._over = threading.Event()
        self._heard = time.monotonic()
        self.there: Nodes = ask()
        """What each machine had when the cluster last answered."""
        if not private:
            threading.Thread(target=self._listen, name="cluster", daemon=True).start()

    def close(self) -> None:
        """Ask no more."""
        self._over.set()

    def why_dead(self) -> str:
        """Why nothing more is to be had of the cluster; empty while it lives."""
        if self._servants is not None:
            fallen = self._servants.fallen()
            return f"Ray's process {fallen} has ended" if fallen else ""
        silence = time.monotonic() - self._heard
        return f"the cluster has not answered for {silence:.0f} s" if silence > _SILENCE_S else ""

    def _listen(self) -> None:
        while not self._over.wait(_ASK_S):
            try:
                self.there = self._ask()
            except Exception:  # noqa: S112  Ray raises a dozen kinds; silence tells
                continue
            self._heard = time.monotonic()
