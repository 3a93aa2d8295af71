"""`Hand`: an actor and what it has in flight; `Waiting`: frames that none has yet, in order."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from plugin.framerange import FrameRange

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
    def called(cls, actor: Any) -> Self:  # noqa: ANN401  Ray's handles have no type
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


class Waiting:
    """What is to be done: chunks first, what was tried before last.

    Args:
        chunks: each goes to one hand, in order.
    """

    def __init__(self, chunks: Iterable[FrameRange]) -> None:
        self._chunks = deque(chunks)
        self._back: deque[deque[int]] = deque()
        self._late: deque[int] = deque()
        self._broke: defaultdict[int, dict[Hand, bool]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return bool(self._chunks or self._back or self._late)

    def numbers(self) -> list[int]:
        """All of it."""
        parts: tuple[Iterable[int], ...] = (*self._chunks, *self._back, self._late)
        return [number for part in parts for number in part]

    def next_for(self, hand: Hand, hands: Sequence[Hand]) -> deque[int]:
        """The frames that a hand with nothing to do takes on; one that was tried flies alone."""
        if self._back:
            return self._back.popleft()
        if self._chunks:
            return deque(self._chunks.popleft())
        if hand.flying:
            return deque()
        return half_of_longest(hands) or self._late_for(hand, hands)

    def _late_for(self, hand: Hand, hands: Sequence[Hand]) -> deque[int]:
        """Rather by another than the hand whose device failed at it, if there is another."""
        for number in self._late:
            broke = self._broke[number]
            if hand not in broke or all(other in broke for other in hands):
                self._late.remove(number)
                return deque([number])
        return deque()

    def put_back(self, numbers: Iterable[int]) -> None:
        """What only waited with a hand that fell: it goes to the next that asks."""
        if waiting := deque(numbers):
            self._back.append(waiting)

    def put_off(self, *numbers: int) -> None:
        """Frames that a worker died of or stumbled over: tried again when the rest is done."""
        self._late.extend(numbers)

    def broke(self, hand: Hand, numbers: Sequence[int]) -> bool:
        """The device of a hand failed while it worked on these frames.

        Returns:
            Whether it speaks against the frame: it was alone, and this actor, or another hand's
            whose device failed at it too, had done frames before. Else it speaks against the hand.
        """
        others = (was for n in numbers for one, was in self._broke[n].items() if one is not hand)
        to_blame = len(numbers) == 1 and (hand.done > 0 or any(others))
        for number in numbers:
            self._broke[number][hand] = hand.done > 0
        return to_blame
