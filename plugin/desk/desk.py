"""`Desk`: one shot on the desk: its corrections, frames, mattes, standing and job, in one place."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from plugin.desk.changes import Change
from plugin.desk.corrections import Corrections
from plugin.desk.frames import Frames, Matte
from plugin.desk.job import Job
from plugin.desk.listeners import Listeners
from plugin.desk.mattes import Mattes
from plugin.desk.standing import Standing, Standings
from plugin.desk.views import Behind, Scene, Tile, View, draw
from plugin.driver.plan import Plan
from plugin.errors import AdaMatteError, FrameError
from plugin.framerange import FrameRange
from plugin.types import BACKGROUND, FOREGROUND, Matter, PlateInfo

_LOOK_EVERY_S = 0.4
_CLASSES = {BACKGROUND: "background", FOREGROUND: "foreground"}


class Desk:
    """What the server's routes call. Made within the running loop.

    Args:
        plan: the job, without an override.
        info: the plate.
        frames: of the shot.
        corrections: the override file.
        picture: what comps may be laid over besides colours, `H × W × 3` uint8.
        make_matter: another network, as tests of everything else want.
    """

    def __init__(
        self,
        plan: Plan,
        info: PlateInfo,
        frames: FrameRange,
        corrections: Corrections,
        *,
        picture: Behind | None = None,
        make_matter: Callable[[Plan], Matter] | None = None,
    ) -> None:
        self.plan, self.info, self.numbers = plan, info, frames
        self.corrections, self.picture = corrections, picture
        self.session = secrets.token_hex(4)
        make = partial(Frames, plan, corrections, make_matter=make_matter)
        self.mattes = Mattes(make, self._around)
        self.frames = self.mattes.frames
        self.standing = Standing(plan, info, frames, corrections)
        self.listeners = Listeners()
        self.job = Job(plan.shot, partial(self.listeners.tell, "job"))
        self._watch = asyncio.get_running_loop().create_task(self._look())

    async def close(self) -> None:
        """End what goes on."""
        self._watch.cancel()
        with suppress(asyncio.CancelledError):
            await self._watch
        self.listeners.end()
        await self.job.close()
        await asyncio.to_thread(self.mattes.close)
        self.frames.close()

    # What is asked.

    def shot(self) -> dict[str, Any]:
        """What does not change while the desk is open."""
        info, shot = self.info, self.plan.shot
        data, display = info.data_window, info.display_window
        steady = self.plan.stabilise
        return {
            "name": shot.name,
            "plate": info.path,
            "out": str(shot.out),
            "file": str(self.corrections.path),
            "session": self.session,
            "frames": list(self.numbers),
            "width": info.width,
            "height": info.height,
            "offset": [data.x_min - display.x_min, data.y_min - display.y_min],
            "aspect": info.pixel_aspect,
            "rate": float(info.rate or 24),
            "radius": 0 if steady is None else steady.radius,
            "band": {"erode": shot.erode, "dilate": shot.dilate},
            "bands": self.plan.trimap is None or self.plan.trimap.kind == "band",
            "keys": sorted(shot.keyframes),
            "picture": self.picture is not None,
        }

    def rules(self) -> dict[str, Any]:
        """The override file as it is in force."""
        override = self.corrections.override
        rules = () if override is None else override.file.rules
        return {
            "version": "" if override is None else override.sha256[:16],
            "rules": [rule.model_dump(mode="json", exclude_unset=True) for rule in rules],
            "undo": self.corrections.undoable,
            "redo": self.corrections.redoable,
            "broken": self.corrections.broken,
        }

    async def marks(self) -> dict[str, Any]:
        """How the frames stand, and the job."""
        now = await asyncio.to_thread(self.standing.now)
        return {
            "done": str(FrameRange.of(now.done)),
            "stale": str(now.stale),
            "failed": {str(number): why for number, why in now.failed.items()},
            "due": len(now.due),
            "worst": [
                {"n": one.number, "severe": one.severity >= 1, "text": one.reasons[0].text}
                for one in now.worst
            ],
            "report": self.standing.ended,
        }

    async def frame(self, number: int) -> dict[str, Any]:
        """What names a frame's pictures now: they are asked for by these names.

        Raises:
            FrameError: there is no such frame, or a painted picture of it is missing.
        """
        self._refuse_other(number)
        key = await asyncio.to_thread(self.frames.key, number)
        now = await asyncio.to_thread(self.standing.now)
        override = self.corrections.override
        written = now.done.get(number)
        return {
            "n": number,
            "plate": self.session,
            "trimap": key,
            "preview": f"now-{key}",
            "matte": f"now-{key}" if written is None else f"run-{written[:16]}",
            "ready": written is not None or self.frames.matted(number, key) is not None,
            "rules": [] if override is None else override.ids(number),
        }

    async def tile(
        self, view: View, number: int, key: str, tile: Tile, behind: Behind
    ) -> tuple[bytes, str] | None:
        """A tile of a view; None where the frame's name for it is another by now.

        Raises:
            SupersededError: the corrections changed before it was done.
            FrameError: it cannot be had.
        """
        self._refuse_other(number)
        look = await asyncio.to_thread(self.frames.look, number)
        scene = Scene(look, behind=behind)
        if view == "plate":
            fits = key == self.session
        elif view == "trimap":
            trimaps = await asyncio.to_thread(self.frames.trimap, number)
            fits, scene = trimaps.key == key, replace(scene, trimaps=trimaps)
        else:
            matte = await self._matte(number, key)
            fits, scene = matte is not None, replace(scene, matte=matte)
        return await asyncio.to_thread(draw, view, tile, scene) if fits else None

    async def pixel(self, number: int, column: int, row: int) -> dict[str, Any]:
        """What is known of a pixel of the plate's data window, nothing computed by the network.

        Raises:
            FrameError: there is no such pixel.
        """
        self._refuse_other(number)
        if not (0 <= column < self.info.width and 0 <= row < self.info.height):
            raise FrameError("no such pixel", where=f"frame {number}", fix="stay in the frame")
        look = await asyncio.to_thread(self.frames.look, number)
        trimaps = await asyncio.to_thread(self.frames.trimap, number)
        written = (await asyncio.to_thread(self.standing.now)).done.get(number)
        matte = self.frames.matted(number, trimaps.key)
        adapted = None if matte is None else matte.adapted
        if written is not None:
            matte = await asyncio.to_thread(self.frames.stored, number, written)
        return {
            "rgb": [float(value) for value in look.source.frame.rgb[row, column]],
            "class": _class(int(trimaps.labels[row, column])),
            "adapted": None if adapted is None else _class(int(adapted[row, column])),
            "alpha": None if matte is None else float(matte.alpha[row, column]),
        }

    # What is done.

    async def change(self, changes: tuple[Change, ...]) -> dict[str, Any]:
        """Make changes; the rules as they are then."""
        return await self._changed(partial(self.corrections.change, changes))

    async def undo(self) -> dict[str, Any]:
        """Take back the last change."""
        return await self._changed(self.corrections.undo)

    async def redo(self) -> dict[str, Any]:
        """Make it again."""
        return await self._changed(self.corrections.redo)

    async def _changed(self, what: Callable[[], None]) -> dict[str, Any]:
        async def work() -> None:
            await asyncio.to_thread(what)
            self.listeners.tell("rules")

        # It is made and told to all, even if the window that asked for it is closed meanwhile.
        await asyncio.shield(work())
        return self.rules()

    async def start(self) -> None:
        """Matte what is due.

        Raises:
            RequestError: nothing is, or a job is under way.
            FrameError: the override file is broken.
        """
        await asyncio.to_thread(self.corrections.look)
        if self.corrections.broken:
            what = "the override file is broken"
            raise FrameError(what, where=self.corrections.path, fix=self.corrections.broken)
        begun, (due, path) = self._version(), await self._due()

        async def again() -> tuple[FrameRange, Path | None] | None:
            nonlocal begun
            before, begun = begun, self._version()
            return None if begun == before else await self._due()

        self.job.start(due, path, again)

    def _version(self) -> str:
        override = self.corrections.override
        return "" if override is None else override.sha256

    async def _due(self) -> tuple[FrameRange, Path | None]:
        """The frames to matte, and the override file."""
        due = (await asyncio.to_thread(self.standing.now)).due
        return due, self.corrections.path if self.corrections.override else None

    async def _look(self) -> None:
        """See what others do to the override file and to the folder."""
        before: tuple[Standings | None, bool] = None, False
        while True:
            with suppress(AdaMatteError, OSError):
                if await asyncio.to_thread(self.corrections.look):
                    self.listeners.tell("rules")
                now = await asyncio.to_thread(self.standing.now)
                if now is not before[0] or self.standing.ended != before[1]:
                    before = now, self.standing.ended
                    self.listeners.tell("marks")
            await asyncio.sleep(_LOOK_EVERY_S)

    # Frames.

    async def _matte(self, number: int, key: str) -> Matte | None:
        """The matte of that name."""
        if key.startswith("run-"):
            written = (await asyncio.to_thread(self.standing.now)).done.get(number, "")
            if written[:16] != key.removeprefix("run-"):
                return None
            return await asyncio.to_thread(self.frames.stored, number, written)
        found, matte = await self.mattes.get(number)
        return matte if key == f"now-{found}" else None

    def _around(self, number: int) -> tuple[int, ...]:
        """The frames before and after, whose own matte is not on disk."""
        place = self.numbers.numbers.index(number) if number in self.numbers else 0
        near = self.numbers.numbers[max(0, place - 1) : place + 2]
        done = self.standing.now().done
        return tuple(n for n in near if n != number and n not in done)

    def _refuse_other(self, number: int) -> None:
        if number not in self.numbers:
            raise FrameError("no such frame", where=f"frame {number}", fix="take one of the shot")


def _class(label: int) -> str:
    return _CLASSES.get(label, "unknown")
