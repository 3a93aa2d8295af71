"""`Seen`: what a page asks about a shot on the desk: its frames, corrections, keys, standing."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np

from plugin.desk.bench import Bench
from plugin.desk.corrections import Corrections
from plugin.desk.held import Matte
from plugin.desk.history import History
from plugin.desk.keys import Keys
from plugin.desk.planned import takes_keys, takes_prompts
from plugin.desk.views import Behind, Scene, Tile, View, draw
from plugin.errors import FrameError
from plugin.framerange import FrameRange
from plugin.types import BACKGROUND, FOREGROUND, FloatArray

_CLASSES = {BACKGROUND: "background", FOREGROUND: "foreground"}


class Seen:
    """Answers; changes nothing.

    Args:
        bench: the plan of this moment, and what works by it.
        keys: what is drawn for the masks.
        corrections: the override file.
        history: of the changes.
        picture: what comps may be laid over besides colours, `H × W × 3` uint8.
    """

    def __init__(
        self,
        bench: Bench,
        keys: Keys,
        corrections: Corrections,
        history: History,
        picture: Behind | None = None,
    ) -> None:
        self.bench, self.keys, self.corrections = bench, keys, corrections
        self.history, self.picture = history, picture

    def shot(self) -> dict[str, Any]:
        """What changes only with the plate and the way in which masks are made."""
        planned = self.bench.planned
        info, plan = planned.info, planned.plan
        shot, steady = plan.shot, plan.stabilise
        data, display = info.data_window, info.display_window
        return {
            "name": shot.name,
            "plate": info.path,
            "out": str(shot.out),
            "file": str(self.corrections.path),
            "session": self.bench.session,
            "frames": list(planned.frames),
            "width": info.width,
            "height": info.height,
            "offset": [data.x_min - display.x_min, data.y_min - display.y_min],
            "aspect": info.pixel_aspect,
            "rate": float(info.rate or 24),
            "radius": 0 if steady is None else steady.radius,
            "band": {"erode": shot.erode, "dilate": shot.dilate},
            "bands": plan.trimap is None or plan.trimap.kind == "band",
            "picture": self.picture is not None,
        }

    def rules(self) -> dict[str, Any]:
        """The override file as it is in force."""
        override = self.corrections.override
        rules = () if override is None else override.file.rules
        return {
            "version": "" if override is None else override.sha256[:16],
            "rules": [rule.model_dump(mode="json", exclude_unset=True) for rule in rules],
            "undo": self.history.undoable,
            "redo": self.history.redoable,
            "broken": self.corrections.broken,
        }

    async def marks(self) -> dict[str, Any]:
        """How the frames stand, and the job."""
        standing = self.bench.standing
        now = await asyncio.to_thread(standing.now)
        return {
            "done": str(FrameRange.of(now.done)),
            "stale": str(now.stale),
            "failed": {str(number): why for number, why in now.failed.items()},
            "due": len(now.due),
            "worst": [
                {"n": one.number, "severe": one.severity >= 1, "text": one.reasons[0].text}
                for one in now.worst
            ],
            "report": standing.ended,
        }

    async def frame(self, number: int) -> dict[str, Any]:
        """What names a frame's pictures now: they are asked for by these names.

        Raises:
            FrameError: there is no such frame, or a painted picture of it is missing.
        """
        self._refuse_other(number)
        return await asyncio.to_thread(self._frame, number)

    def _frame(self, number: int) -> dict[str, Any]:
        frames = self.bench.frames
        key, now = frames.key(number), self.bench.standing.now()
        override = self.corrections.override
        written = now.done.get(number)
        return {
            "n": number,
            "plate": self.bench.session,
            "key": self._key_name(number),
            "trimap": key,
            "preview": f"now-{key}",
            "matte": f"now-{key}" if written is None else f"run-{written[:16]}",
            "ready": written is not None or frames.matted(number, key) is not None,
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
        frames = self.bench.frames
        look = await asyncio.to_thread(frames.look, number)
        scene = Scene(look, behind=behind)
        if view == "plate":
            fits = key == self.bench.session
        elif view == "key":
            fits = key == await asyncio.to_thread(self._key_name, number)
            mask = await asyncio.to_thread(self._key_or_mask, number)
            scene = replace(scene, mask=mask, keyed=number in self.keys.told.keyframes)
        elif view == "trimap":
            trimaps = await asyncio.to_thread(frames.trimap, number)
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
        info, frames = self.bench.info, self.bench.frames
        if not (0 <= column < info.width and 0 <= row < info.height):
            raise FrameError("no such pixel", where=f"frame {number}", fix="stay in the frame")
        look = await asyncio.to_thread(frames.look, number)
        trimaps = await asyncio.to_thread(frames.trimap, number)
        written = (await asyncio.to_thread(self.bench.standing.now)).done.get(number)
        matte = frames.matted(number, trimaps.key)
        adapted = None if matte is None else matte.adapted
        if written is not None:
            matte = await asyncio.to_thread(frames.stored, number, written)
        return {
            "rgb": [float(value) for value in look.source.frame.rgb[row, column]],
            "class": _class(int(trimaps.labels[row, column])),
            "adapted": None if adapted is None else _class(int(adapted[row, column])),
            "alpha": None if matte is None else float(matte.alpha[row, column]),
        }

    def masks(self) -> dict[str, Any]:
        """What is drawn for the masks, and how far they are."""
        bench, shot = self.bench, self.keys.shot
        masks = bench.planned.plan.segment
        told = self.keys.told
        return {
            "takes": {"key": takes_keys(shot), "prompt": takes_prompts(shot)},
            "keys": {n: "drawn" if self.keys.drawn(n) else "given" for n in told.keyframes},
            "prompts": list(told.prompts),
            "file": str(self.keys.path),
            "bare": bench.planned.bare,
            "pending": bench.pending,
            "step": bench.step,
            "trouble": bench.trouble or self.keys.broken,
            "wanted": None if bench.pending else bench.planned.key_wanted,
            "notes": [] if masks is None or bench.pending else list(masks.warnings),
            "undo": self.history.undoable,
            "redo": self.history.redoable,
        }

    async def _matte(self, number: int, key: str) -> Matte | None:
        """The matte of that name."""
        if key.startswith("run-"):
            written = (await asyncio.to_thread(self.bench.standing.now)).done.get(number, "")
            if written[:16] != key.removeprefix("run-"):
                return None
            return await asyncio.to_thread(self.bench.frames.stored, number, written)
        found, matte = await self.bench.mattes.get(number)
        return matte if key == f"now-{found}" else None

    def _key_name(self, number: int) -> str:
        """What names the picture of a frame's key, or of its mask where it has none."""
        return self.keys.name(number) or f"mask-{self.bench.frames.tag}{self.bench.session}"

    def _key_or_mask(self, number: int) -> FloatArray | None:
        key = self.keys.mask(number, self.bench.info)
        if key is not None:
            return key.astype(np.float32) / np.float32(255)
        return None if self.bench.planned.bare else self.bench.frames.mask(number)

    def _refuse_other(self, number: int) -> None:
        if number not in self.bench.numbers:
            raise FrameError("no such frame", where=f"frame {number}", fix="take one of the shot")


def _class(label: int) -> str:
    return _CLASSES.get(label, "unknown")
