"""`Desk`: one shot on the desk: its corrections, frames, mattes, standing and job, in one place."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from plugin.desk.bench import Bench
from plugin.desk.changes import Change
from plugin.desk.corrections import Corrections
from plugin.desk.drawing import KeyChange, PromptChange
from plugin.desk.history import History
from plugin.desk.job import Job
from plugin.desk.keys import Keys
from plugin.desk.listeners import Listeners
from plugin.desk.planned import Planned, takes_keys, takes_prompts
from plugin.desk.seen import Seen
from plugin.desk.standing import Standings
from plugin.desk.told import Told
from plugin.desk.views import Behind
from plugin.driver.plan import Plan
from plugin.errors import FrameError, RequestError
from plugin.request.shot import Shot
from plugin.types import Matter

_LOOK_EVERY_S = 0.4


class Desk(Seen):
    """What the server's routes call. Made within the running loop.

    Args:
        planned: the shot as it would be matted, without an override.
        keys: what is drawn for its masks.
        corrections: the override file.
        picture: what comps may be laid over besides colours, `H × W × 3` uint8.
        make_matter: another network, as tests of everything else want.
    """

    def __init__(
        self,
        planned: Planned,
        keys: Keys,
        corrections: Corrections,
        *,
        picture: Behind | None = None,
        make_matter: Callable[[Plan], Matter] | None = None,
    ) -> None:
        self.listeners, self.out = Listeners(), keys.shot.out
        bench = Bench(planned, keys, corrections, self.listeners.tell, make_matter)
        super().__init__(bench, keys, corrections, History(corrections, keys), picture)
        self.job = Job(partial(self.listeners.tell, "job"))
        self._watch = asyncio.get_running_loop().create_task(self._look())

    async def close(self) -> None:
        """End what goes on."""
        self._watch.cancel()
        with suppress(asyncio.CancelledError):
            await self._watch
        self.listeners.end()
        await self.job.close()
        await self.bench.close()

    async def change(self, changes: tuple[Change, ...]) -> dict[str, Any]:
        """Make changes of the override file; the rules as they are then."""
        await self._made(partial(self.history.change, changes))
        return self.rules()

    async def key(self, change: KeyChange) -> dict[str, Any]:
        """Draw on a frame's key; all keys as they are then.

        Raises:
            RequestError: this shot's masks are not made of keys.
            FrameError: there is no such frame, or nothing would be left of the key.
        """
        self._refuse_other(change.frame)
        if not takes_keys(self.keys.shot):
            what, fix = "this shot's masks are given", "open it with --segment track to draw them"
            raise RequestError(what, where="the desk", fix=fix)
        if change.start == "matte" and not self.bench.planned.bare and not change.remove:
            await self.bench.mattes.get(change.frame)  # it is kept then
        await self._made(partial(self.history.key, change, self.bench))
        return self.masks()

    async def prompt(self, change: PromptChange) -> dict[str, Any]:
        """Add and remove prompts; all as they are then.

        Raises:
            RequestError: SAM 2 is not what makes this shot's masks, or one is no prompt.
        """
        if not takes_prompts(self.keys.shot):
            what, fix = "SAM 2 does not make this shot's masks", "open it with --segment sam2"
            raise RequestError(what, where="the desk", fix=fix)
        await self._made(partial(self.history.prompt, change, self.bench.info))
        return self.masks()

    async def undo(self) -> dict[str, Any]:
        """Take back the last change."""
        await self._made(self.history.undo)
        return self.rules()

    async def redo(self) -> dict[str, Any]:
        """Make it again."""
        await self._made(self.history.redo)
        return self.rules()

    async def _made(self, what: Callable[[], None]) -> None:
        async def work() -> None:
            before = self.keys.told, tuple(map(self.keys.name, self.keys.told.keyframes))
            await asyncio.to_thread(what)
            if before != (self.keys.told, tuple(map(self.keys.name, self.keys.told.keyframes))):
                self.bench.changed()
                self.listeners.tell("keys")
            self.listeners.tell("rules")

        # It is made and told to all, even if the window that asked for it is closed meanwhile.
        await asyncio.shield(work())

    async def start(self) -> None:
        """Matte what is due; every frame is looked at where the masks themselves are.

        Raises:
            RequestError: nothing is, there are no masks, or a job is under way.
            FrameError: the override file is broken.
        """
        await asyncio.to_thread(self.corrections.look)
        if self.corrections.broken:
            what = "the override file is broken"
            raise FrameError(what, where=self.corrections.path, fix=self.corrections.broken)
        if self.bench.planned.bare and not (self.keys.told.keyframes or self.keys.told.prompts):
            fix = "draw the subject on a frame: Y, then B or P"
            raise RequestError("there are no masks yet", where="the desk", fix=fix)
        await self.bench.give_up()  # the run carries masks itself, in the same folder
        begun, due = self._version(), await self._due()

        async def again() -> Shot | None:
            nonlocal begun
            before, begun = begun, self._version()
            return None if begun == before else await self._due()

        self.job.start(due, again)

    def _version(self) -> tuple[str, Told]:
        override = self.corrections.override
        return "" if override is None else override.sha256, self.keys.told

    async def _due(self) -> Shot:
        """The request for the frames to matte."""
        due = self.bench.numbers
        if not self.bench.pending:
            due = (await asyncio.to_thread(self.bench.standing.now)).due
        path = str(self.corrections.path) if self.corrections.override else None
        return self.keys.shot.model_copy(update={"frames": due, "override": path})

    async def _look(self) -> None:
        """See what others do to the shot's files and to the folder."""
        before: tuple[Standings | None, bool] = None, False
        while True:
            begun = time.monotonic()
            with suppress(Exception):  # it looks on, whatever stood there this time
                if await asyncio.to_thread(self.corrections.look):
                    self.listeners.tell("rules")
                if await asyncio.to_thread(self.keys.look):
                    self.bench.changed()
                    self.listeners.tell("keys")
                await asyncio.to_thread(self._mention)
                await self.bench.look(busy=self.job.status.going_on)
                standing = self.bench.standing
                now = await asyncio.to_thread(standing.now)
                if now is not before[0] or standing.ended != before[1]:
                    before = now, standing.ended
                    self.listeners.tell("marks")
            # On a slow share it is looked at less often.
            await asyncio.sleep(max(_LOOK_EVERY_S, 4 * (time.monotonic() - begun)))

    def _mention(self) -> None:
        self.keys.mention(self.corrections.path if self.corrections.override else None)
