"""`manifest.json` on disk, and `progress.json` beside it.

The alpha files prove themselves; the manifest says which there should be. Several processes may
work on one folder, each on its own frames: a lock is held while one reads, merges and replaces the
file, so none loses another's records.

One frame is one line, so that `grep '"1043"'` and `diff` are of use.
"""

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plugin.disk.atomic import host_tag, output_error, process_start, write_whole
from plugin.disk.folder_lock import folder_lock
from plugin.disk.inputs import read_whole
from plugin.errors import FrameRangeError, OutputError, RequestError
from plugin.result.manifest_models import Manifest, PlateRecord, merge
from plugin.types import FrameRecord

__all__ = ["FrameRecord", "Manifest", "PlateRecord", "merge"]

MAX_MANIFEST = 256 << 20
"""Most bytes of a manifest: some 500 000 frames."""

_MOST_PROGRESS = 1 << 20
_SILENCE_S = 300.0
"""Clocks of machines differ, by less than this."""

_FIX = "move manifest.json away and run again: frames that are there prove themselves"

_Version = tuple[int, int, int, int]


def load(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        RequestError: there is none.
        OutputError: it is damaged, too large, of another schema, or has unknown or repeated keys.
    """
    try:
        return _parse(read_whole(path, MAX_MANIFEST).decode())
    except (FileNotFoundError, NotADirectoryError) as error:
        fix = "give a folder that `adamatte run` wrote"
        raise RequestError("no manifest here", where=path, fix=fix) from error
    except OSError as error:
        what = f"the manifest cannot be read: {error.strerror}"
        raise OutputError(what, where=path, fix=_FIX) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(f"{place}: {first['msg']}", path) from error
    except json.JSONDecodeError as error:
        raise _damaged(f"line {error.lineno}: {error.msg}", path) from error
    except FrameRangeError as error:
        raise _damaged(error.what, path) from error
    except RecursionError as error:
        raise _damaged("nested too deep", path) from error
    except ValueError as error:
        raise _damaged(str(error), path) from error


def save(path: Path, manifest: Manifest) -> None:
    """Replace the manifest atomically; on a folder that others may write too, use `update`.

    Raises:
        OutputError: the disk refuses.
    """
    write_whole(path, _bytes(_dump(manifest, {})))


def update(path: Path, manifest: Manifest) -> Manifest:
    """`ManifestFile.update`, once."""
    return ManifestFile(path).update(manifest)


class ManifestFile:
    """A process's hold on the manifest of a folder, for the many updates of a run.

    It reads the file again only if another process has replaced it, and spells out only the records
    that are new, so that an update of 10 000 frames costs tens of milliseconds.

    Args:
        path: of `manifest.json`.
        pictures: the run makes masks or trimaps alone; see `merge`.
        admit: asked of what another process wrote, before anything is added to it; may refuse.
    """

    def __init__(
        self,
        path: Path,
        *,
        pictures: bool = False,
        admit: Callable[[Manifest], None] = lambda _: None,
    ) -> None:
        self._path, self._pictures, self._admit = path, pictures, admit
        self._version: _Version | None = None
        self._held: Manifest | None = None
        self._lines: dict[int, tuple[FrameRecord, str]] = {}

    def update(self, manifest: Manifest) -> Manifest:
        """Merge into what the folder holds by now, under the folder's lock.

        Args:
            manifest: this run's; `frames` may hold only what is new since the last update.

        Returns:
            What was written.

        Raises:
            OutputError: the disk refuses, the manifest there is damaged, or another process holds
                the lock for minutes.
        """
        with folder_lock(self._path.parent):
            old = self._current()
            merged = manifest
            if old is not None:
                if old is not self._held:
                    self._admit(old)
                merged = merge(old, manifest, pictures=self._pictures)
            write_whole(self._path, _bytes(_dump(merged, self._lines)))
            self._held, self._version = merged, _version_of(self._path)
        return merged

    def _current(self) -> Manifest | None:
        version = _version_of(self._path)
        if version is None:
            return None
        return self._held if version == self._version else load(self._path)


def write_progress(path: Path, progress: Mapping[str, Any]) -> None:
    """Replace `progress.json`: one JSON object; a figure that is not finite becomes null.

    Raises:
        OutputError: the disk refuses.
    """
    said = {name: None if _is_endless(value) else value for name, value in progress.items()}
    pid = os.getpid()
    said |= {"host": host_tag(), "process": pid, "start": process_start(pid), "time": time.time()}
    text = json.dumps(said, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, _bytes(text), durable=False)


def read_progress(path: Path) -> dict[str, Any]:
    """What `progress.json` says; empty where there is none that can be read.

    A run that ends by itself says so. One that says it is running, and whose process is gone, or on
    another machine has written nothing for minutes, is `lost`.
    """
    try:
        told = json.loads(read_whole(path, _MOST_PROGRESS))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    if told.get("state") == "running" and _writer_is_gone(told):
        told["state"] = "lost"
    return told


def _writer_is_gone(told: Mapping[str, Any]) -> bool:
    pid, written = told.get("process"), told.get("time")
    if told.get("host") == host_tag() and isinstance(pid, int):
        return process_start(pid) != told.get("start")
    return isinstance(written, int | float) and abs(time.time() - written) > _SILENCE_S


def _version_of(path: Path) -> _Version | None:
    """What changes whenever the file is replaced; None without a file.

    It is compared for being the same, never for being older. Opening it makes a network file
    system look again.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_error(error, path) from error
    status = os.fstat(handle)
    os.close(handle)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _parse(text: str) -> Manifest:
    # The plain parser shows repeated keys, which pydantic's does not.
    fields = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    manifest = Manifest.model_validate(fields)
    if len(fields.get("frames", {})) != len(manifest.frames):
        raise ValueError("a frame stands twice")
    return manifest


def _dump(manifest: Manifest, lines: dict[int, tuple[FrameRecord, str]]) -> str:
    """JSON: a line for each field, and a line for each frame.

    Args:
        manifest: to be written.
        lines: each record and its line, as far as spelt out before; added to.
    """
    for number, record in manifest.frames.items():
        known = lines.get(number)
        if known is None or known[0] is not record:
            lines[number] = record, f'"{number}": {record.model_dump_json(exclude_defaults=True)}'
    fields = manifest.model_dump(mode="json", by_alias=True, exclude={"frames"})
    head = ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in fields.items())
    frames = ",\n".join(lines[number][1] for number in sorted(manifest.frames))
    return f'{{\n{head},\n"frames": {{\n{frames}\n}}\n}}\n'


def _bytes(text: str) -> bytes:
    # File names that are not UTF-8 come as lone surrogates; so escaped, JSON brings them back.
    return text.encode("utf-8", "backslashreplace")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} stands twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _damaged(why: str, path: Path) -> OutputError:
    return OutputError(f"the manifest is damaged: {why}"[:300], where=path, fix=_FIX)
