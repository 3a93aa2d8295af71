"""From what a person typed to a `Shot`: command line over job file over defaults.

A job file is TOML with the options of `adamatte run` as keys, `start-frame` or `start_frame`:

    plate = "plates/sh010.%04d.exr"     # relative paths are relative to this file
    out = "mattes/sh010"
    erode = 6
"""

import difflib
import errno
import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from plugin.disk.atomic import write_whole
from plugin.disk.inputs import read_whole
from plugin.errors import FrameRangeError, ShotError
from plugin.request.shot import Shot, asked_of

MAX_BYTES = 256 * 1024
"""A job file says a few dozen things; more is another file taken for one."""

PATH_FIELDS = frozenset(field for field in Shot.model_fields if asked_of(field).path)
"""The fields that hold a file, a folder or a pattern; `model` does when it is a file."""

AUTO_FIELDS = frozenset({"workers", "chunk", "gpus_per_worker"})
"""The numbers that may be given as `auto`, which is what they are where nothing is said."""


_BOUNDS = {"ge": "{}", "gt": "above {},", "le": " to {}"}


def shot_from(options: Mapping[str, object], job_file: Path | None = None) -> Shot:
    """Put a shot together.

    Args:
        options: `Shot`'s fields as the command line gave them, texts or values; None is not given.
        job_file: a TOML file that holds the rest.

    Raises:
        ShotError: a value, a key or the job file is wrong; `where` is the option as it is typed
            (`--erode`), or the line of the job file.
        FrameRangeError: `frames` cannot be understood.
    """
    values = {} if job_file is None else _JobFile.read(job_file).checked()
    given = {key: _plain(key, value) for key, value in options.items() if value is not None}
    with _refusals(option_name):
        return Shot.model_validate(values | given)


def help_of(field: str) -> str:
    """What a field is for, in one line; default and bounds are not in it."""
    return " ".join((Shot.model_fields[field].description or "").split())


def option_name(field: str) -> str:
    """The option of a field as it is typed: `--start-frame`; the plate is an argument."""
    return "PLATE" if field == "plate" else "--" + field.replace("_", "-")


def range_of(field: str) -> str:
    """What a number field takes, `0 to 500`; empty where it has no bounds."""
    rules = Shot.model_fields[field].metadata
    found = {name: getattr(rule, name) for rule in rules for name in _BOUNDS if hasattr(rule, name)}
    return "".join(form.format(found[name]) for name, form in _BOUNDS.items() if name in found)


@dataclass(frozen=True, slots=True)
class _JobFile:
    path: Path
    text: str
    table: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        text = _read_text(path)
        try:
            return cls(path, text, tomllib.loads(text))
        except (ValueError, RecursionError) as error:
            what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise ShotError(
                f"not TOML: {what}", where=path, fix='write lines like erode = 6 or shot = "sh010"'
            ) from error

    def checked(self) -> dict[str, Any]:
        """The values by field, types and bounds proved, paths from the file's folder."""
        values: dict[str, Any] = {}
        for key, value in self.table.items():
            field = self._field(key)
            if field in values:
                raise ShotError("given twice", where=self.spot(key), fix="keep one of the two")
            values[field] = self._resolved(field, _plain(field, value))
        # JSON's strict mode takes a list for a set and a text for a path, but no "8" for a number.
        text = json.dumps(values, default=_refuse_date)
        with _refusals(self.spot, partial=True):
            Shot.model_validate_json(text, strict=True)
        return values

    def spot(self, key: str) -> str:
        """`sh010.toml:4 erode`: the line where a key is set."""
        name = re.sub(r"[-_]", "[-_]", re.escape(key).replace(r"\-", "-"))
        pattern = re.compile(rf"\s*\[*\s*[\"']?{name}[\"']?\s*[=.\]]")
        lines = self.text.splitlines()
        found = next((n for n, line in enumerate(lines, 1) if pattern.match(line)), None)
        return f"{self.path} {key}" if found is None else f"{self.path}:{found} {key}"

    def _field(self, key: str) -> str:
        field = key.replace("-", "_")
        if field not in Shot.model_fields:
            close = difflib.get_close_matches(field, Shot.model_fields, n=1)
            fix = f"did you mean {close[0]}?" if close else "see adamatte run --help"
            raise ShotError(f"unknown key {key!r}", where=self.spot(key), fix=fix)
        return field

    def _resolved(self, field: str, value: object) -> object:
        folder = self.path.parent
        if field == "keyframe" and isinstance(value, list):
            return [_beside(folder, text) if isinstance(text, str) else text for text in value]
        if field == "segment_model" and isinstance(value, str):  # or a name on the hub
            beside = folder / value
            return str(beside) if value.endswith(".onnx") or beside.is_dir() else value
        is_file = field in PATH_FIELDS or (field == "model" and str(value).endswith(".safetensors"))
        return str(folder / value) if is_file and isinstance(value, str) else value


def _beside(folder: Path, keyframe: str) -> str:
    """`FRAME=FILE` with the file relative to the job file's folder."""
    number, equals, file = keyframe.partition("=")
    return f"{number}={folder / file}" if equals else keyframe


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ShotError("no such job file", where=path, fix="check the path given to --job")
        return read_whole(path, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ShotError("not UTF-8 text", where=path, fix="save it as UTF-8") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            what = f"over {MAX_BYTES // 1024} KB, too large for a job file"
            raise ShotError(what, where=path, fix="check that it is the file you mean") from error
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ShotError(what, where=path, fix="check the path given to --job") from error


def _refuse_date(value: object) -> dict[str, str]:
    """TOML has dates, `Shot` has none: a table is refused wherever one stands."""
    return {"date": str(value)}


def _plain(field: str, value: object) -> object:
    """The forms that people write: `auto` for 0 workers, `--keep mask,trimap`."""
    if field in AUTO_FIELDS and value == "auto":
        return Shot.model_fields[field].default
    if field in ("keep", "layers") and isinstance(value, str | tuple | list):
        texts = [value] if isinstance(value, str) else value
        if all(isinstance(text, str) for text in texts):
            return [part for text in texts for part in text.replace(" ", "").split(",") if part]
    return value


@contextmanager
def _refusals(spot: Callable[[str], str], *, partial: bool = False) -> Iterator[None]:
    """Turn the first thing that pydantic refuses into one line.

    With `partial`, fields that are missing are another's business.
    """
    try:
        yield
    except FrameRangeError as error:
        where = f"{spot('frames')} {error.where}"
        raise FrameRangeError(error.what, where=where, fix=error.fix) from error
    except ValidationError as error:
        problems = [p for p in error.errors() if not (partial and p["type"] == "missing")]
        if not problems:
            return
        what, fix = _explain(problems[0])
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ShotError(what + more, where=spot(str(problems[0]["loc"][0])), fix=fix) from error


def _explain(problem: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what to do, of one of pydantic's problems."""
    field, kind, value = str(problem["loc"][0]), problem["type"], problem["input"]
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…"
    if kind == "missing":
        return _MISSING.get(field, ("is missing", "give it"))
    if kind == "extra_forbidden":
        return "unknown option", "see adamatte run --help"
    if kind == "literal_error":
        return f"{shown} is not one of its values", _choices(problem)
    if kind.startswith(("greater_than", "less_than", "finite_number")):
        return f"{shown} is out of range", f"give a number, {range_of(field)}"
    for prefix, (what, fix) in _TYPES.items():
        if kind.startswith(prefix):
            return f"{shown} is {what}", fix
    return f"{shown} is not accepted", problem["msg"].removeprefix("Value error, ")


_MISSING = {
    "plate": ("no plate is given", "name a video, a sequence like plate.%04d.exr, or an image"),
    "out": ("no output folder is given", "add --out DIR"),
}

_TYPES = {
    "int": ("not a whole number", "give a number like 8"),
    "float": ("not a number", "give a number like 8 or 2.5"),
    "bool": ("neither true nor false", "give true or false"),
    "string": ("not a text", 'put it in quotes, like "sh010"'),
    "frozen_set": ("not a list", 'give a list like ["mask", "trimap"]'),
}


def _choices(problem: ErrorDetails) -> str:
    """`did you mean cuda? (auto, cpu, cuda)`."""
    choices = re.findall(r"'([^']*)'", str(problem.get("ctx", {}).get("expected", "")))
    close = difflib.get_close_matches(str(problem["input"]), choices, n=1)
    listed = ", ".join(choices)
    return f"did you mean {close[0]}? It takes {listed}" if close else f"it takes {listed}"


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
