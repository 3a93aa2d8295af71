"""`Keys`: what is drawn for the masks themselves: key frames, and points and boxes for SAM 2.

    DIR/keys/<shot>_key.%04d.png    a mask each, white on the subject
    DIR/<shot>.job.toml             the whole request with them, which `adamatte run --job` reads

Both are written at once. A mask that was given from elsewhere is read and never written: what is
drawn on its frame takes its place in the request.
"""

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from plugin.desk.changes import ConflictError
from plugin.desk.drawing import as_mask, refuse_nothing
from plugin.desk.told import Step, Told
from plugin.disk.atomic import made, sweep_orphans, write_whole
from plugin.disk.inputs import read_whole, stamp
from plugin.errors import AdaMatteError, FrameError, ShotError
from plugin.pattern import FramePattern
from plugin.request.job_file import shot_from, write_job
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from plugin.segmentation.masks.files import read_coverage
from plugin.segmentation.masks.pairing import read_key
from plugin.types import LabelArray, PlateInfo

_LARGEST = 256 << 20


class Keys:
    """Holds a shot's keys and prompts as they are on disk. May be used from any thread.

    Args:
        shot: the request, with absolute paths. What an earlier desk drew is added to it.

    Raises:
        ShotError: the folder's job file cannot be read.
    """

    def __init__(self, shot: Shot) -> None:
        self._shot, self._given = shot, Told(shot.keyframes, shot.prompt)
        self.path = shot.out / f"{shot.name}.job.toml"
        self._files = FramePattern(shot.out / "keys", f"{shot.name}_key.", 4, ".png")
        self._lock = threading.RLock()
        self._override: Path | None = None
        self._told, self.broken = self._given, ""
        self._known = self._sum()
        self._done: list[Step] = []
        self._undone: list[Step] = []
        sweep_orphans(self._files.folder)
        if self._known:
            there = self._read()
            drawn = {n: file for n, file in there.keyframes.items() if self._is_ours(n, file)}
            more = tuple(text for text in there.prompts if text not in shot.prompt)
            given = {n: file for n, file in shot.keyframes.items() if not self._is_ours(n, file)}
            self._told = Told({**given, **drawn}, (*shot.prompt, *more))

    @property
    def told(self) -> Told:
        """What is in force."""
        return self._told

    @property
    def shot(self) -> Shot:
        """The request with it."""
        return self._told.over(self._shot)

    def drawn(self, number: int) -> bool:
        """Whether the frame's key is one that was drawn here."""
        return self._is_ours(number, self._told.keyframes.get(number, ""))

    def look(self) -> bool:
        """Read the job file again if it is another by now; whether it was."""
        with self._lock:
            found = self._sum()
            if found == self._known:
                return False
            self._known = found
            try:
                self._told, self.broken = (self._read() if found else self._given), ""
            except AdaMatteError as error:
                self.broken = str(error)
            return True

    def name(self, number: int) -> str:
        """What names the frame's key as it is on disk; empty without one."""
        file = self._told.keyframes.get(number)
        if file is None:
            return ""
        state = ""
        with suppress(OSError):
            state = stamp(Path(file).stat())
        return hashlib.sha256(f"{file}\n{state}".encode("utf-8", "surrogateescape")).hexdigest()[
            :16
        ]

    def mask(self, number: int, info: PlateInfo) -> LabelArray | None:
        """The frame's key, `H × W` uint8, 0 and 255; None without one.

        Raises:
            FrameError: it cannot be read.
            MaskError: likewise, of one that was given.
        """
        file = self._told.keyframes.get(number)
        if file is None:
            return None
        if self._is_ours(number, file):
            mask = read_grey(Path(file))
            if mask.shape != (info.height, info.width):
                what, fix = "the key is of another size than the plate", "draw it anew"
                raise FrameError(what, where=file, fix=fix)
            return mask
        reading, _, _ = read_key(Path(file), info, self._shot)
        return as_mask(read_coverage(Path(file), info, reading) >= 0.5)

    def put(self, number: int, mask: LabelArray) -> None:
        """Write a frame's key, and enter it in the job file.

        Args:
            number: the frame.
            mask: `H × W` uint8, 255 on the subject.

        Raises:
            FrameError: there would be no subject in it.
            ConflictError: the files were changed elsewhere.
            OutputError: the disk refuses.
        """
        refuse_nothing(mask, number)
        _, png = cv2.imencode(".png", np.ascontiguousarray(mask), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        with self._lock:
            self.look()
            was = self._png(number)
            if was is not None and not self.drawn(number):
                raise ConflictError(
                    "a file is there that is no key of this shot",
                    where=self._files.path(number),
                    fix="move it away, or give it with --keyframe",
                )
            file = str(self._files.path(number))
            after = replace(self._told, keyframes={**self._told.keyframes, number: file})
            self._do(Step(self._told, after, number, was, png.tobytes()))

    def remove(self, number: int) -> None:
        """Take a frame's key out of the request; one that was drawn here is gone, save for undo.

        Raises:
            ConflictError: there is none, or the files were changed elsewhere.
            OutputError: the disk refuses.
        """
        with self._lock:
            self.look()
            if number not in self._told.keyframes:
                raise ConflictError("no key here", where=f"frame {number}", fix="draw one")
            left = {n: file for n, file in self._told.keyframes.items() if n != number}
            after = replace(self._told, keyframes=left)
            was = self._png(number) if self.drawn(number) else None
            ours = number if self.drawn(number) else None
            self._do(Step(self._told, after, ours, was))

    def prompt(self, add: tuple[str, ...], away: tuple[str, ...]) -> None:
        """Add prompts, and take others away.

        Raises:
            ConflictError: one to take away is not there, or the job file was changed elsewhere.
            OutputError: the disk refuses.
        """
        with self._lock:
            self.look()
            if not set(away) <= set(self._told.prompts):
                raise ConflictError("it is there no more", where=away[0], fix="look at it again")
            left = [text for text in self._told.prompts if text not in away]
            after = replace(self._told, prompts=tuple(dict.fromkeys([*left, *add])))
            self._do(Step(self._told, after))

    def undo(self) -> None:
        """Take the last change back.

        Raises:
            ConflictError: what it made was changed by somebody else since; then it is forgotten.
        """
        self._again(self._done, self._undone)

    def redo(self) -> None:
        """Make again what was taken back last; raises as `undo`."""
        self._again(self._undone, self._done)

    def forget_undone(self) -> None:
        """Another change was made since: what was taken back is not made again."""
        self._undone.clear()

    def mention(self, override: Path | None) -> None:
        """Name the shot's override file in the job file, once there is one.

        Raises:
            OutputError: the disk refuses.
        """
        with self._lock:
            if override != self._override:
                self._override = override
                if self._known and not self.broken:
                    self._write(self._told)

    def _do(self, step: Step) -> None:
        self._done.append(self._apply(step))
        self._undone.clear()

    def _again(self, source: list[Step], target: list[Step]) -> None:
        with self._lock:
            try:
                back = self._apply(source[-1])
            except ConflictError:
                source.pop()
                raise
            source.pop()
            target.append(back)

    def _apply(self, step: Step) -> Step:
        """Make a change; the change that takes it back. The picture comes before its name."""
        self.look()
        if self.broken:
            what = "the job file is broken since it was changed elsewhere"
            raise ConflictError(what, where=self.path, fix=self.broken)
        number = step.number
        if self._told != step.before or (number is not None and self._png(number) != step.was):
            what = "it was changed elsewhere"
            raise ConflictError(
                what, where=f"the keys of {self._shot.name}", fix="look at it again"
            )
        if number is not None and step.now is not None:
            made(self._files.folder)
            write_whole(self._files.path(number), step.now, root=self._shot.out)
        if step.after != step.before:
            self._write(step.after)
        if number is not None and step.now is None:
            self._files.path(number).unlink(missing_ok=True)
        return Step(step.after, step.before, number, step.now, step.was)

    def _write(self, told: Told) -> None:
        override = None if self._override is None else str(self._override)
        write_job(self.path, told.over(self._shot).model_copy(update={"override": override}))
        self._told, self._known = told, self._sum()

    def _read(self) -> Told:
        shot = shot_from({}, self.path)
        if shot.name != self._shot.name:
            what = f"it is for the shot {shot.name}"
            raise ShotError(what, where=self.path, fix="move it away, or take another --out")
        self._override = None if shot.override is None else Path(shot.override)
        return Told(shot.keyframes, shot.prompt)

    def _sum(self) -> str:
        try:
            return stamp(self.path.stat())
        except OSError:
            return ""

    def _png(self, number: int) -> bytes | None:
        try:
            return read_whole(self._files.path(number), _LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise FrameError(what, where=self._files.path(number), fix="see the folder") from error

    def _is_ours(self, number: int, file: str) -> bool:
        return os.path.normpath(file) == os.path.normpath(self._files.path(number))
