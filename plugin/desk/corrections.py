"""`Corrections`: the shot's override file, as it is on disk at every moment, and what was undone.

The file is the only state. Every change is written at once, by the schema and the checks of the
command line; a file that somebody else changed is read again, and changes are applied to that.
"""

import hashlib
import threading
from pathlib import Path

from plugin.desk.changes import Change, ConflictError, applied
from plugin.disk.atomic import write_whole
from plugin.errors import OverrideError
from plugin.framerange import FrameRange
from plugin.trimap.override import Override, of_bytes
from plugin.trimap.override.document import as_bytes, read_bytes, refuse_large
from plugin.trimap.override.models import OverrideFile, PlateSize
from plugin.types import PlateInfo


class Corrections:
    """Holds the override file of a shot. May be used from any thread.

    Args:
        path: the file; it comes to be with the first change.
        info: the plate.
        shot: the shot's name, for a new file.

    Raises:
        OverrideError: there is a file, and something is wrong with it.
    """

    def __init__(self, path: Path, info: PlateInfo, shot: str) -> None:
        self.path, self._info, self._shot = path.absolute(), info, shot
        self._lock = threading.RLock()
        self._override: Override | None = None
        self._known = ""
        self._done: list[tuple[Change, ...]] = []
        self._undone: list[tuple[Change, ...]] = []
        self._error: OverrideError | None = None
        self.look()
        if self._error is not None:
            raise self._error

    @property
    def broken(self) -> str:
        """What is wrong with the file since somebody else wrote it; empty while nothing is."""
        return "" if self._error is None else str(self._error)

    @property
    def override(self) -> Override | None:
        """What is in force: the last of the file's contents that could be read; None for none."""
        return self._override

    @property
    def undoable(self) -> int:
        """How many changes can be taken back."""
        return len(self._done)

    @property
    def redoable(self) -> int:
        """How many can be made again."""
        return len(self._undone)

    def plate_is(self, info: PlateInfo) -> None:
        """The plate is another by now: the file is checked against it."""
        with self._lock:
            self._info, self._known = info, ""
            self.look()

    def look(self) -> bool:
        """Read the file again if it is another by now; whether it was."""
        with self._lock:
            content, error = None, None
            try:
                content = self._content()
                found = "" if content is None else hashlib.sha256(content).hexdigest()
            except OverrideError as unreadable:
                found, error = f"unreadable: {unreadable.what}", unreadable
            if found == self._known:
                return False
            self._known = found
            if error is None:
                try:
                    self._override = None if content is None else self._read(content)
                except OverrideError as wrong:
                    error = wrong
            self._error = error
            return True

    def change(self, changes: tuple[Change, ...]) -> None:
        """Make changes, all or none, and write them.

        Raises:
            ConflictError: a rule is not what it was taken for, or the file is broken.
            OverrideError: the file would not be right.
            OutputError: the disk refuses.
        """
        with self._lock:
            self._done.append(self._write(changes))
            self._undone.clear()

    def undo(self) -> None:
        """Take the last change back.

        Raises:
            ConflictError: there is none, or what it made was changed by somebody else since; then
                it is forgotten.
        """
        self._step(self._done, self._undone, "undo")

    def redo(self) -> None:
        """Make again what was taken back last; raises as `undo`."""
        self._step(self._undone, self._done, "redo")

    def forget_undone(self) -> None:
        """Another change was made since: what was taken back is not made again."""
        self._undone.clear()

    def _step(
        self, source: list[tuple[Change, ...]], target: list[tuple[Change, ...]], name: str
    ) -> None:
        with self._lock:
            if not source:
                raise ConflictError(f"nothing to {name}", where="the desk", fix="go on")
            # An error of the disk leaves the step where it was; a conflict would come again.
            try:
                back = self._write(source[-1])
            except ConflictError:
                source.pop()
                raise
            source.pop()
            target.append(back)

    def _write(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Apply to what the file holds now; the changes that take it back."""
        self.look()
        if self.broken:
            what = "the override file is broken since it was changed elsewhere"
            raise ConflictError(what, where=self.path, fix=self.broken)
        file, back = applied(self._file(), changes)
        content = as_bytes(file)
        refuse_large(content, self.path)
        override = self._read(content)
        write_whole(self.path, content, check=self._refuse_another)
        self._override, self._known = override, override.sha256
        return back

    def _refuse_another(self, _: Path) -> None:
        """Just before the new file takes the name: the old one is still what was read."""
        content = self._content()
        found = "" if content is None else hashlib.sha256(content).hexdigest()
        if found != self._known:
            what = "the file was changed at the very same time"
            raise ConflictError(what, where=self.path, fix="do it again")

    def _file(self) -> OverrideFile:
        if self._override is not None:
            return self._override.file
        window = self._info.display_window
        size = PlateSize(width=window.width, height=window.height)
        head = {"schema": "trimap-override/1", "shot": self._shot, "plate": size, "rules": ()}
        return OverrideFile.model_validate(head)

    def _content(self) -> bytes | None:
        return read_bytes(self.path) if self.path.exists() else None

    def _read(self, content: bytes) -> Override:
        # Pictures are looked at when a frame of theirs is: a long shot may have thousands.
        return of_bytes(content, self.path, self._info, asked=FrameRange(()))
