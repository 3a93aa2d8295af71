"""Small JSON files of others: read with a cap, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import BridgeError

__all__ = ["read_json", "sha256", "write_json"]

_PIECE = 1 << 20


def read_json(path: Path, most: int) -> dict[str, Any] | None:
    """The JSON object of a file; None where there is no file.

    Raises:
        BridgeError: it cannot be read, is over `most` bytes, or holds no JSON object.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise BridgeError(what, path, "check its permissions") from error
    if len(content) > most:
        raise BridgeError("larger than it can be", path, "check that it is the file you mean")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BridgeError("not JSON", path, "move it away and run again") from error
    if not isinstance(found, dict):
        raise BridgeError("no JSON object", path, "move it away and run again")
    return found


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file in one step.

    Raises:
        BridgeError: the disk refuses.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix="." + path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, str(path))
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise BridgeError(what, path, "check the folder and the disk") from error


def sha256(path: Path) -> str:
    """Of a file's bytes; empty where it cannot be read."""
    summed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for piece in iter(lambda: file.read(_PIECE), b""):
                summed.update(piece)
    except OSError:
        return ""
    return summed.hexdigest()
