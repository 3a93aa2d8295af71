"""A pool of actors, fed by `ray.wait`.

Tasks carry paths and numbers. Each actor holds a `FrameWorker`; it gets the frames of one chunk in
order, at most two ahead, so that its decoder reads forward. When an actor dies, Ray starts it
again, and the frames it had are tried again a bounded number of times; a frame that keeps killing
its actor is set aside as failed, and the rest goes on.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from plugin.errors import AdaMatteError, ClusterError
from plugin.framerange import FrameRange
from plugin.types import FrameResult, FrameState

__all__ = ["IN_FLIGHT", "Hand", "Pool"]

IN_FLIGHT = 2
"""Frames an actor has at once: one that it works on, one that waits."""

_PATIENCE_S = 0.5


@dataclass(slots=True)
class Hand:
    """One actor, what it has, and what is left of its chunk."""

    actor: Any
    queue: deque[int] = field(default_factory=deque)
    flying: dict[Any, int] = field(default_factory=dict)


class Pool:
    """Hands, chunks, and what has been tried.

    Args:
        hands: the actors.
        chunks: what is to be done; each chunk goes to one hand, in order.
        retries: tries a frame beyond the first.
    """

    def __init__(self, hands: list[Hand], chunks: deque[FrameRange], retries: int) -> None:
        self._hands = hands
        self._chunks = chunks
        self._retries = retries
        self._tries: Counter[int] = Counter()
        self._alone: deque[int] = deque()
        """Frames that were with a dying worker: each is tried again with nothing beside it."""

    def results(self) -> Iterator[FrameResult]:
        """Every frame's result, as they come.

        Raises:
            ClusterError: Ray itself failed.
            SurroundingsError: a worker's disk or device failed.
        """
        self._feed()
        while flying := {ref: hand for hand in self._hands for ref in hand.flying}:
            ready, _ = ray.wait(list(flying), num_returns=1, timeout=_PATIENCE_S)
            for ref in ready:
                yield from self._land(flying[ref], ref)
            self._feed()

    def _feed(self) -> None:
        """Give every hand work, up to what it may have in flight."""
        for hand in self._hands:
            if self._alone and not hand.flying:
                self._fly(hand, self._alone.popleft())
                continue
            if any(self._tries[number] for number in hand.flying.values()):
                continue  # a suspect flies alone
            while len(hand.flying) < IN_FLIGHT:
                if not hand.queue and self._chunks:
                    hand.queue.extend(self._chunks.popleft())
                if not hand.queue:
                    break
                self._fly(hand, hand.queue.popleft())

    def _fly(self, hand: Hand, number: int) -> None:
        hand.flying[hand.actor.do.remote(number)] = number

    def _land(self, hand: Hand, ref: Any) -> Iterator[FrameResult]:  # noqa: ANN401  a Ray reference
        number = hand.flying.pop(ref)
        try:
            yield ray.get(ref)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, AdaMatteError):
                raise cause from None
            yield from self._again(number, f"{type(cause).__name__}: {cause}")
        except RayActorError as error:
            yield from self._again(number, "its worker died: " + _reason(error))
        except RayError as error:
            raise ClusterError(
                f"Ray failed: {type(error).__name__}", where=f"frame {number}", fix="run it again"
            ) from error

    def _again(self, number: int, why: str) -> Iterator[FrameResult]:
        self._tries[number] += 1
        if self._tries[number] <= self._retries:
            self._alone.append(number)
            return
        text = " ".join(why.split())[:300]
        error = (
            f"set aside after {self._tries[number]} tries: {text} · frame {number} · see the log"
        )
        yield FrameResult(number, FrameState.FAILED, error=error)


def _reason(error: RayActorError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
