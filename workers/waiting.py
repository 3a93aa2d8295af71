"""`Waiting`: the frames of a job that no worker has yet, and in which order they are given out."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from plugin.framerange import FrameRange
from workers.in_flight import Hand, half_of_longest


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
