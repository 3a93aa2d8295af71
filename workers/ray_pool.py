"""A pool of actors, fed by `ray.wait`.

Tasks carry paths and numbers. Each actor holds a `FrameWorker`; it gets the frames of one chunk in
order, at most two ahead, so that its decoder reads forward; at the end, who has nothing takes half
of what is left to another. When an actor dies, Ray starts it again, here or on another machine; the
frame that it was working on is tried again later, a bounded number of times, and a frame that keeps
killing its worker is set aside. What only waited behind it is not to blame.

A device that fails takes its own actor with it and nothing else: a process can do no more with it.
Its frames go back; the actor is made anew, a few times, and is then given up.
"""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from plugin.errors import AdaMatteError, ClusterError, DeviceError
from plugin.framerange import FrameRange
from plugin.types import FrameResult, FrameState
from workers.tries import set_aside, told
from workers.waiting import IN_FLIGHT, Hand, Waiting

_LOOK_S = 0.5
"""Between looks at what does not report by itself: signals, room for more actors."""

_GROW_S = 5.0
_NOBODY_S = 900.0
"""Without a single worker for so long, the cluster has no room; autoscalers take minutes."""

_MOVES = 10
"""Machines that may go down under a frame before it is suspected of taking them down."""

_DEATHS = (RayActorError, WorkerCrashedError, NodeDiedError, OutOfMemoryError, ObjectLostError)


class Pool:
    """Hands, chunks, and what has been tried.

    Args:
        make: makes an actor.
        hands: how many at first.
        chunks: what is to be done; each chunk goes to one hand, in order.
        retries: tries a frame beyond the first.
        beside: frames that an actor works on at once.
        room: how many actors there is room for by now; asked every few seconds.
        why_dead: why the cluster does not answer any more; empty while it does.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        hands: int,
        chunks: Iterable[FrameRange],
        *,
        retries: int,
        beside: int = 1,
        room: Callable[[], int] = lambda: 0,
        why_dead: Callable[[], str] = lambda: "",
    ) -> None:
        self._make, self._room, self._why_dead = make, room, why_dead
        self._retries, self._beside = retries, beside
        self._waiting = Waiting(chunks)
        self._tries: Counter[int] = Counter()
        self._moves: Counter[int] = Counter()
        self._hands = [Hand.called(make()) for _ in range(hands)]
        self._awake = self._grown = time.monotonic()
        self._falls = self._given_up = 0
        self._stopped = False
        self.most_in_flight = 0

    def stop(self) -> None:
        """Begin no more frames; those in flight may end."""
        self._stopped = True

    def left(self) -> FrameRange:
        """The frames that have no result yet."""
        held = [n for hand in self._hands for n in (*hand.flying.values(), *hand.queue)]
        return FrameRange.of([*self._waiting.numbers(), *held])

    def results(self) -> Iterator[FrameResult]:
        """Every frame's result, as they come.

        Raises:
            ClusterError: Ray itself failed, or no worker can be had.
            DeviceError: no device is left; what remains to be done is `left`.
            SurroundingsError: a worker's disk failed.
        """
        self._feed()
        while self._goes_on():
            waited = {ref: hand for hand in self._hands for ref in hand.refs()}
            for ref in _ready(list(waited)):
                hand = waited[ref]
                if ref == hand.waking:
                    self._woke(hand)
                elif ref in hand.flying:  # else it went down with the hand, and is seen to
                    yield from self._land(hand, ref)
            self._look_around()
            self._feed()

    def _goes_on(self) -> bool:
        flying = sum(len(hand.flying) for hand in self._hands)
        self.most_in_flight = max(self.most_in_flight, flying)
        if self._stopped:
            return flying > 0
        return bool(flying or self._waiting or any(hand.queue for hand in self._hands))

    def _feed(self) -> None:
        """Give every hand work, up to what it may have in flight."""
        if self._stopped:
            return
        for hand in self._hands:
            while hand.waking is None and len(hand.flying) < IN_FLIGHT:
                if not hand.queue:
                    hand.queue = self._waiting.next_for(hand, self._hands)
                if not hand.queue:
                    break
                hand.fly(hand.queue.popleft())

    def _woke(self, hand: Hand) -> None:
        """An actor answered that it is there, or cannot be."""
        try:
            ray.get(hand.waking)
        except RayError as error:
            self._falls += 1
            if self._falls > 5 * len(self._hands):
                raise ClusterError(
                    f"workers do not start: {_reason(error)}"[:300],
                    where="Ray",
                    fix="see `adamatte doctor` there, and Ray's own logs",
                ) from error
            time.sleep(min(1.0, 0.1 * self._falls))
            hand.call(self._make())
        else:
            hand.waking = None
            self._falls = 0

    def _land(self, hand: Hand, ref: Any) -> Iterator[FrameResult]:  # noqa: ANN401  a Ray reference
        try:
            result = ray.get(ref)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, DeviceError):
                yield from self._break(hand, cause)
                return
            if isinstance(cause, AdaMatteError):
                raise cause from None
            number = hand.flying.pop(ref)
            yield from self._again(number, told(cause), FrameState.FAILED)
        except _DEATHS as error:
            yield from self._fall(hand, error)
        except RayError as error:
            raise ClusterError(
                f"Ray failed: {type(error).__name__}", where="a worker", fix="run it again"
            ) from error
        else:
            hand.flying.pop(ref)
            hand.done += result.state is FrameState.DONE
            yield result

    def _break(self, hand: Hand, error: DeviceError) -> Iterator[FrameResult]:
        """A worker's device failed: the worker ends, and all that was in flight goes back.

        Raises:
            DeviceError: it was the last hand.
        """
        worked_on = yield from self._gather(hand)
        to_blame = self._waiting.broke(hand, worked_on)
        self._renew(hand, blamed=not to_blame)
        if to_blame:
            yield from self._again(worked_on[0], str(error), FrameState.FAILED)
        else:
            self._waiting.put_off(*worked_on)
        if not self._hands and self.left() and not self._stopped:
            what = f"no device is left that works: {error.what}"
            raise DeviceError(what, where=error.where, fix=error.fix)

    def _renew(self, hand: Hand, *, blamed: bool) -> None:
        """Another actor in the place of one whose device failed; none after a few times."""
        ray.kill(hand.actor)
        if not (blamed and hand.given_up()):
            hand.call(self._make())
        else:
            self._hands.remove(hand)
            self._given_up += 1

    def _fall(self, hand: Hand, error: RayError) -> Iterator[FrameResult]:
        """A worker died: of the frames in flight it was working on the first, in their order.

        Where it worked on several at once, no try of theirs is counted.
        """
        worked_on = yield from self._gather(hand)
        hand.call(hand.actor)
        if not worked_on:
            return
        if len(worked_on) > 1:
            # Either may have brought it down. Late frames fly alone, and then it is known.
            self._waiting.put_off(*worked_on)
            return
        if _node_died(error) and self._moves[worked_on[0]] < _MOVES:
            self._moves[worked_on[0]] += 1
            self._waiting.put_off(worked_on[0])
            return
        why = "its worker died: " + _reason(error)
        yield from self._again(worked_on[0], why, FrameState.QUARANTINED)

    def _gather(self, hand: Hand) -> Generator[FrameResult, None, list[int]]:
        """Take in what a hand had: results that are there; what only waited goes back.

        Returns:
            The frames in flight without a result, in the order in which they were begun.
        """
        lost: list[int] = []
        for ref, number in hand.flying.items():
            result = _result_of(ref)
            if result is None:
                lost.append(number)
            else:
                yield result
        self._waiting.put_back([*lost[self._beside :], *hand.queue])
        hand.flying.clear()
        hand.queue.clear()
        return lost[: self._beside]

    def _again(self, number: int, why: str, state: FrameState) -> Iterator[FrameResult]:
        self._tries[number] += 1
        if self._tries[number] <= self._retries:
            self._waiting.put_off(number)
            return
        yield set_aside(number, self._tries[number], why, state)

    def _look_around(self) -> None:
        """Does the cluster live, is anybody there, and is there room for more?"""
        if why := self._why_dead():
            fix = "run the same command again: what is done is kept"
            raise ClusterError(why, where="Ray", fix=fix)
        now = time.monotonic()
        if any(hand.waking is None for hand in self._hands):
            self._awake = now
        elif now - self._awake > _NOBODY_S:
            raise ClusterError(
                f"no worker was to be had for {_NOBODY_S / 60:.0f} minutes",
                where="Ray",
                fix="see that the cluster has nodes with free cores or GPUs, and run it again",
            )
        if now - self._grown > _GROW_S and not self._stopped:
            self._grown = now
            more = max(0, self._room() - len(self._hands) - self._given_up)
            self._hands += [Hand.called(self._make()) for _ in range(more)]


def _ready(refs: list[Any]) -> list[Any]:
    """All that is there; waits a moment for the first."""
    if not refs:
        time.sleep(_LOOK_S)
        return []
    first, rest = ray.wait(refs, num_returns=1, timeout=_LOOK_S)
    if not first or not rest:
        return list(first)
    more, _ = ray.wait(rest, num_returns=len(rest), timeout=0)
    return [*first, *more]


def _result_of(ref: Any) -> FrameResult | None:  # noqa: ANN401  a Ray reference
    """The result of a frame that was done before its worker died."""
    if not ray.wait([ref], timeout=0)[0]:
        return None
    try:
        result = ray.get(ref)
    except RayError:
        return None
    return result if isinstance(result, FrameResult) else None


def _node_died(error: RayError) -> bool:
    return isinstance(error, NodeDiedError) or "node has died" in str(error)


def _reason(error: RayError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
