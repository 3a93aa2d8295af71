"""A `Shot` as a job file: how a request travels to a farm or a cluster."""

import json
from collections.abc import Collection
from pathlib import Path

from plugin.disk.atomic import write_whole
from plugin.errors import ShotError
from plugin.request.job_file import MAX_BYTES, shot_from
from plugin.request.shot import Shot


def write_job(path: Path, shot: Shot, *, without: Collection[str] = ()) -> None:
    """Write what `adamatte run --job` reads back as the same shot.

    Args:
        path: the file; its folder exists.
        shot: with absolute paths, for the file's own folder means nothing elsewhere.
        without: fields that the reader is to choose for itself.

    Raises:
        ShotError: a path in it cannot be told in a text file.
        OutputError: the disk refuses.
    """
    try:
        data = job_text(shot, without=without).encode()
    except ValueError as error:  # of pydantic, or of the encoding
        raise ShotError(
            "a name that is not UTF-8 cannot travel in a job file",
            where=path,
            fix="rename the files or folders in question",
        ) from error
    if len(data) > MAX_BYTES:
        fix = "ask for fewer single --frames or --keyframe"
        raise ShotError("too much for a job file", where=path, fix=fix)
    write_whole(path, data)
    left = {name: value for name, value in shot if name not in without}
    if shot_from({}, path) != Shot.model_validate(left):
        raise ShotError("does not read back as it was written", where=path, fix="report it")


def job_text(shot: Shot, *, without: Collection[str] = ()) -> str:
    """The job file's text: a line for each field that is not as by default."""
    fields = shot.model_dump(mode="json", exclude_defaults=True)
    lines = [
        f"{name} = {_toml(value)}"
        for name, value in fields.items()
        if name not in without and value != []
    ]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A value as TOML, whose texts, numbers and lists are JSON's."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
