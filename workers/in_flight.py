"""`Hand`: one actor, what it has in flight, and what is left of its chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

IN_FLIGHT = 2
"""Frames an actor has at once: one that it works on, one that waits."""

_BREAKS = 3
"""Times that a device may fail an actor, until that is given up."""

_SOUND = 20
"""Frames after which a device that failed counts as well again."""


@dataclass(slots=True, eq=False)
class Hand:
    """One actor.

    Attributes:
        actor: Ray's handle.
        queue: the rest of its chunk.
        flying: frame numbers by reference, in the order in which the actor does them.
        waking: the answer to "are you there?", on which new work waits: an actor that is being
            started again, on a cluster that is full, may take long.
        done: frames that this very actor has done.
        breaks: how often its device failed it lately.
    """

    actor: Any
    queue: deque[int] = field(default_factory=deque)
    flying: dict[Any, int] = field(default_factory=dict)
    waking: Any = None
    done: int = 0
    breaks: int = 0

    @classmethod
    def called(cls, actor: Any) -> Hand:  # noqa: ANN401  Ray's handles have no type
        """A hand that has been asked whether it is there."""
        hand = cls(actor)
        hand.call(actor)
        return hand

    def call(self, actor: Any) -> None:  # noqa: ANN401
        """Ask whether the actor is there; one in the place of a dead one may be another."""
        self.actor = actor
        self.done = 0
        self.waking = actor.ready.remote()

    def fly(self, number: int) -> None:
        """Give it a frame."""
        self.flying[self.actor.do.remote(number)] = number

    def given_up(self) -> bool:
        """Whether its device, which failed, has done so too often."""
        self.breaks = 1 if self.done >= _SOUND else self.breaks + 1
        return self.breaks >= _BREAKS

    def refs(self) -> list[Any]:
        """All that it will answer."""
        return [*self.flying, *([] if self.waking is None else [self.waking])]


def half_of_longest(hands: Iterable[Hand]) -> deque[int]:
    """The later half of the longest queue, taken from it; empty when nobody has any."""
    victim = max((hand for hand in hands if hand.queue), key=lambda h: len(h.queue), default=None)
    if victim is None:
        return deque()
    kept = len(victim.queue) // 2
    taken = list(victim.queue)[kept:]
    victim.queue = deque(list(victim.queue)[:kept])
    return deque(taken)
