"""`Bench`: the shot as it would be matted now, planned anew whenever request or files are others.

What was planned last is shown until the next plan is whole: the names of pictures say which.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from plugin.desk.corrections import Corrections
from plugin.desk.frames import Frames
from plugin.desk.keys import Keys
from plugin.desk.mattes import Mattes
from plugin.desk.planned import Planned, plan_again
from plugin.desk.standing import Standing
from plugin.desk.watched import Watched
from plugin.driver.plan import Plan
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.segmentation import in_order
from plugin.types import Matter, PlateInfo

_SETTLED_S = 0.6
"""Since the last change: strokes come one after another, and so do the files of a render."""

_TELL_S = 0.25


class _GivenUpError(Exception):
    """A newer change has come."""


class Bench:
    """The plan of this moment and what works by it. Made within the running loop.

    Args:
        planned: at the door.
        keys: what is drawn for the masks; their request is what is planned.
        corrections: the override file.
        told: called with what has changed, for the page.
        make_matter: another network, as tests of everything else want.
    """

    def __init__(
        self,
        planned: Planned,
        keys: Keys,
        corrections: Corrections,
        told: Callable[[str], None],
        make_matter: Callable[[Plan], Matter] | None = None,
    ) -> None:
        self.planned, self._keys, self._corrections, self._told = planned, keys, corrections, told
        self.session = secrets.token_hex(4)
        make = partial(Frames, planned.plan, corrections, make_matter=make_matter)
        self.mattes = Mattes(make, self._around)
        self.standing = Standing(planned.plan, planned.info, planned.frames, corrections)
        self.trouble = ""
        self.step: tuple[int, int] | None = None
        self._watched = Watched(keys.shot, planned.info.frames)
        self._loop = asyncio.get_running_loop()
        self._turn, self._due, self._other_plate = 0, 0.0, False
        self._before: Frames | None = None
        self._task: asyncio.Task[None] | None = None
        self._given_up = threading.Event()

    @property
    def frames(self) -> Frames:
        """What makes and holds the frames' pictures."""
        return self.mattes.frames

    @property
    def info(self) -> PlateInfo:
        """The plate."""
        return self.planned.info

    @property
    def numbers(self) -> FrameRange:
        """The shot's frames."""
        return self.planned.frames

    @property
    def pending(self) -> bool:
        """Whether what is planned is not what the request and its files are by now."""
        return bool(self._due) or self._working

    @property
    def _working(self) -> bool:
        return self._task is not None and not self._task.done()

    def changed(self) -> None:
        """The request is another by now."""
        self._due = time.monotonic() + _SETTLED_S
        self._given_up.set()

    async def look(self, *, busy: bool) -> None:
        """See whether files have changed, and plan anew once they are settled.

        Args:
            busy: a run goes on in the folder, which carries masks itself.
        """
        others = await asyncio.to_thread(self._watched.changed)
        if others:
            self._other_plate |= "plate" in others
            self.changed()
            self._told("keys")
        masks = self.planned.plan.segment
        carried = bool(self._keys.told.keyframes or self._keys.told.prompts)
        carried |= masks is not None and in_order(masks)
        if not self._due or time.monotonic() < self._due or self._working or (busy and carried):
            return
        self._due = 0.0
        self._given_up = threading.Event()
        self._task = self._loop.create_task(self._plan_again(self._given_up))

    async def give_up(self) -> None:
        """End the planning under way; what is due stays due."""
        if self._working and self._task is not None:
            self.changed()
            await self._task

    async def close(self) -> None:
        """End what goes on."""
        self._given_up.set()
        if self._task is not None:
            with suppress(Exception):
                await self._task
        await asyncio.to_thread(self.mattes.close)
        for frames in (self._before, self.frames):
            if frames is not None:
                frames.close()

    async def _plan_again(self, given_up: threading.Event) -> None:
        shot, self.step = self._keys.shot, None
        other_plate, self._other_plate = self._other_plate, False
        self._told("keys")
        try:
            self._watched = await asyncio.to_thread(Watched, shot, self.info.frames)
            progress = _Telling(given_up, self._steps)
            planned = await asyncio.to_thread(plan_again, shot, progress)
            self._turn += 1
            again = partial(self.frames.again, planned.plan, f"{self._turn}-")
            same = not other_plate and planned.info == self.info
            frames = await asyncio.to_thread(again, same_plate=same)
        except _GivenUpError:
            self._other_plate |= other_plate
            return
        except Exception as error:  # whatever it is, the page is told, and what is shown stays
            self.trouble = str(error) or type(error).__name__
            self._other_plate |= other_plate
        else:
            self._take(planned, frames, same_plate=same)
        finally:
            self.step = None
            self._told("keys")

    def _take(self, planned: Planned, frames: Frames, *, same_plate: bool) -> None:
        self.trouble = ""
        if not same_plate:
            self.session = secrets.token_hex(4)
        if planned.info != self.info:
            self._corrections.plate_is(planned.info)
        if self._before is not None:
            self._before.close()
        self._before = self.frames  # somebody may still be reading with it
        self.planned = planned
        self.mattes.take(frames)
        self.standing.plan_is(planned.plan, planned.info, planned.frames)
        for what in ("shot", "rules", "marks"):
            self._told(what)

    def _steps(self, done: int, total: int) -> None:
        def say() -> None:
            self.step = done, total
            self._told("keys")

        self._loop.call_soon_threadsafe(say)

    def _around(self, number: int) -> tuple[int, ...]:
        """The frames before and after, whose own matte is not on disk."""
        if self.planned.bare:
            return ()
        place = self.numbers.numbers.index(number) if number in self.numbers else 0
        near = self.numbers.numbers[max(0, place - 1) : place + 2]
        done = self.standing.now().done
        return tuple(n for n in near if n != number and n not in done)


class _Telling(QuietProgress):
    """Tells how far a pass is, now and then, and ends it when a newer change has come."""

    def __init__(self, given_up: threading.Event, tell: Callable[[int, int], None]) -> None:
        self._given_up, self._tell, self._at = given_up, tell, 0.0

    def step(self, name: str, done: int, total: int) -> None:  # noqa: ARG002  as `Progress`
        """Passed on.

        Raises:
            _GivenUpError: it is not wanted any more.
        """
        if self._given_up.is_set():
            raise _GivenUpError
        if time.monotonic() > self._at + _TELL_S:
            self._at = time.monotonic()
            self._tell(done, total)
