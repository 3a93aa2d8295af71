"""`History`: one undo for all that the desk changes, whichever file it is in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from plugin.desk.changes import Change, ConflictError
from plugin.desk.corrections import Corrections
from plugin.desk.drawing import KeyChange, PromptChange, as_mask, of_trimap
from plugin.desk.keys import Keys
from plugin.segmentation.neural.prompts import parse_prompts
from plugin.types import LabelArray, PlateInfo

if TYPE_CHECKING:
    from plugin.desk.bench import Bench


class History:
    """Makes changes, one at a time, and takes them back in their order. For any thread.

    Args:
        corrections: the override file.
        keys: what is drawn for the masks.
    """

    def __init__(self, corrections: Corrections, keys: Keys) -> None:
        self._corrections, self._keys = corrections, keys
        self._lock = threading.Lock()
        self._done: list[Corrections | Keys] = []
        self._undone: list[Corrections | Keys] = []

    @property
    def undoable(self) -> int:
        """How many changes can be taken back."""
        return len(self._done)

    @property
    def redoable(self) -> int:
        """How many can be made again."""
        return len(self._undone)

    def change(self, changes: tuple[Change, ...]) -> None:
        """Change the override file; raises as `Corrections.change`."""
        with self._lock:
            self._corrections.change(changes)
            self._made(self._corrections)

    def key(self, change: KeyChange, bench: Bench) -> None:
        """Draw on a frame's key, or take it away; raises as `Keys.put`."""
        with self._lock:
            if change.remove:
                self._keys.remove(change.frame)
            else:
                before = self._keys.mask(change.frame, bench.info)
                start = _begun(change, bench) if before is None else before
                self._keys.put(change.frame, change.drawn(start, bench.info))
            self._made(self._keys)

    def prompt(self, change: PromptChange, info: PlateInfo) -> None:
        """Add prompts and take others away; raises as `Keys.prompt`.

        Raises:
            MaskError: one is no prompt, or lies outside the plate.
        """
        with self._lock:
            kept = [text for text in self._keys.told.prompts if text not in change.remove]
            parse_prompts([*kept, *change.add], info)
            self._keys.prompt(change.add, change.remove)
            self._made(self._keys)

    def undo(self) -> None:
        """Take the last change back.

        Raises:
            ConflictError: there is none, or what it made was changed by somebody else since; then
                it is forgotten.
        """
        with self._lock:
            who = _last(self._done, "undo")
            try:
                who.undo()
            except ConflictError:
                self._done.pop()
                raise
            self._undone.append(self._done.pop())

    def redo(self) -> None:
        """Make again what was taken back last; raises as `undo`."""
        with self._lock:
            who = _last(self._undone, "redo")
            try:
                who.redo()
            except ConflictError:
                self._undone.pop()
                raise
            self._done.append(self._undone.pop())

    def _made(self, who: Corrections | Keys) -> None:
        self._done.append(who)
        self._undone.clear()
        self._corrections.forget_undone()
        self._keys.forget_undone()


def _last(steps: list[Corrections | Keys], name: str) -> Corrections | Keys:
    if not steps:
        raise ConflictError(f"nothing to {name}", where="the desk", fix="go on")
    return steps[-1]


def _begun(change: KeyChange, bench: Bench) -> LabelArray:
    """What a key begins with on a frame that has none."""
    if bench.planned.bare or change.start == "nothing":
        return np.zeros((bench.info.height, bench.info.width), np.uint8)
    if change.start == "trimap":
        return of_trimap(bench.frames.trimap(change.frame).labels)
    _, matte = bench.frames.matte(change.frame)
    return as_mask(matte.alpha >= 0.5)
