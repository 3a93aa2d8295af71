"""From the bytes of an override file to its model; every mistake is an `OverrideError`."""

import errno
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from plugin.disk.inputs import read_whole
from plugin.errors import OverrideError
from plugin.trimap.override.models import KINDS, OverrideFile

MAX_BYTES = 4_000_000
MAX_DEPTH = 16
"""Levels of brackets; a keyed polygon has six."""

_WORDS = {
    ("literal_error", "schema"): "another schema than trimap-override/1",
    ("too_long", "rules"): "more than 10 000 rules",
    ("string_pattern_mismatch", "id"): (
        "the id has other characters than letters, digits, “_”, “.” and “-”, or over 64"
    ),
    ("string_pattern_mismatch", "frames"): (
        "not a frame range: write it like 1001-1020, 1001-1020x2 or 1001,1005"
    ),
    ("string_pattern_mismatch", "[key]"): "a key of the polygon is no frame number",
}
_TOO_FEW_OR_MANY = re.compile(r"\A(?:Tuple|Dictionary|List) (should .*?) after validation")
"""pydantic's words for a wrong count, whose types are Python's and not the file's."""

_DOCUMENTED = "see docs/overrides.md, or adamatte trimap --schema"


def read_bytes(path: Path) -> bytes:
    """The file's contents.

    Raises:
        OverrideError: it is missing, no file, or over 4 MB.
    """
    try:
        if not path.is_file():
            raise OverrideError("no such override file", where=path, fix="check the name")
        return read_whole(path, MAX_BYTES)
    except OSError as problem:
        if problem.errno == errno.EFBIG:
            raise _too_large(path) from problem
        what = f"cannot be read: {problem.strerror or problem}"
        raise OverrideError(what, where=path, fix="check the file") from problem


def as_bytes(file: OverrideFile) -> bytes:
    """The contents of an override file: a line a rule, what was left out left out."""
    said = file.model_dump(mode="json", by_alias=True, exclude_unset=True)
    rules = ",".join(f"\n  {json.dumps(rule, ensure_ascii=False)}" for rule in said.pop("rules"))
    head = ",\n ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in said.items())
    return f'{{{head},\n "rules": [{rules}]}}\n'.encode()


def refuse_large(content: bytes, path: Path) -> None:
    """Refuse contents that would not be read back.

    Raises:
        OverrideError: they are over 4 MB.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(path)


def _too_large(path: Path) -> OverrideError:
    what, fix = "the override file is over 4 MB", "paint large corrections as images"
    return OverrideError(what, where=path, fix=fix)


def parse(content: bytes, path: Path) -> OverrideFile:
    """Read an override file's contents.

    Raises:
        OverrideError: it is no JSON, repeats a key, nests too deep, or does not follow the schema.
    """
    document = _load_json(content, path)
    try:
        # From JSON, not from the document: only there do lists become tuples in strict mode.
        file = OverrideFile.model_validate_json(json.dumps(document))
    except ValidationError as problem:
        raise _first_of(problem, document, path) from None
    twice = [name for name, count in Counter(rule.id for rule in file.rules).items() if count > 1]
    if twice:
        raise OverrideError(
            "two rules have this id",
            where=f"{path}: rule {_shown(twice[0])}",
            fix="give each its own",
        )
    return file


def rule_name(path: Path, number: int, rule: object) -> str:
    """How a message names a rule: its file, its place from 1, and its id where it has one."""
    name = rule.get("id") if isinstance(rule, dict) else getattr(rule, "id", None)
    return f"{path}: rule {number}" + (f" {_shown(name)}" if isinstance(name, str) else "")


def _load_json(content: bytes, path: Path) -> object:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise OverrideError("not UTF-8 text", where=path, fix="save it as UTF-8") from problem
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except _RepeatedKeyError as problem:
        raise OverrideError(
            f"the key {_shown(problem.key)} is there twice",
            where=_where_repeated(path, problem),
            fix="keep one of them",
        ) from None
    except json.JSONDecodeError as problem:
        raise OverrideError(
            f"not JSON: {problem.msg}",
            where=f"{path}, line {problem.lineno}, column {problem.colno}",
            fix="correct it there",
        ) from None
    except ValueError as problem:
        # Besides what `_no_constant` raises, only Python's guard against endless digits.
        said = (
            str(problem) if isinstance(problem, _NoNumberError) else "a number of too many digits"
        )
        raise OverrideError(f"not JSON: {said}", where=path, fix="correct it") from None
    except RecursionError:
        raise _too_deep(path) from None
    if _depth(document) > MAX_DEPTH:
        raise _too_deep(path)
    return document


def _too_deep(path: Path) -> OverrideError:
    what = f"brackets nest deeper than {MAX_DEPTH} levels"
    return OverrideError(what, where=path, fix=_DOCUMENTED)


def _depth(document: object) -> int:
    """Levels of objects and lists, without recursion."""
    depth, level = 0, [document]
    while level:
        nested = [value for value in level if isinstance(value, dict | list)]
        depth += bool(nested)
        level = [
            inner
            for value in nested
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return depth


def _shown(text: str) -> str:
    """A name from the file as it may stand in a message."""
    short = text[:64]
    return f"“{short}”" if short.isprintable() else ascii(short)


class _RepeatedKeyError(Exception):
    def __init__(self, key: str, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(key)
        self.key = key
        self.pairs = pairs


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key, pairs)
        found[key] = value
    return found


def _where_repeated(path: Path, problem: _RepeatedKeyError) -> str:
    """The rule by its id where the key is repeated in a rule itself."""
    name = next((value for key, value in problem.pairs if key == "id"), None)
    return f"{path}: rule {_shown(name)}" if isinstance(name, str) else f"{path}"


class _NoNumberError(ValueError):
    """NaN and the infinities, which Python's reader takes and JSON does not have."""


def _no_constant(text: str) -> NoReturn:
    raise _NoNumberError(f"{text} is no number")


def _first_of(problem: ValidationError, document: object, path: Path) -> OverrideError:
    """The first mistake in words, named by its rule, with how many more there are."""
    errors = problem.errors(include_url=False, include_context=True)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return OverrideError(
        _in_words(first, document) + more, where=_where(first, document, path), fix=_DOCUMENTED
    )


def _where(error: ErrorDetails, document: object, path: Path) -> str:
    place = list(error["loc"])
    if len(place) < 2 or place[0] != "rules" or not isinstance(place[1], int):
        return f"{path}"
    # The discriminator puts the rule's kind before its keys.
    inner = place[3:] if len(place) > 2 and place[2] in KINDS else place[2:]
    within = ", " + _shown(".".join(str(step) for step in inner)) if inner else ""
    return rule_name(path, place[1] + 1, _rule(document, place[1])) + within


def _rule(document: object, index: int | str) -> object:
    rules = document.get("rules") if isinstance(document, dict) else None
    return rules[index] if isinstance(rules, list) and isinstance(index, int) else None


def _in_words(error: ErrorDetails, document: object) -> str:
    kind, name = error["type"], str(error["loc"][-1]) if error["loc"] else ""
    if kind == "extra_forbidden":
        return f"unknown key {_shown(name)}"
    if kind == "missing":
        return f"the key {_shown(name)} is missing"
    if kind == "union_tag_not_found":
        return _kinds_in_words(_rule(document, error["loc"][1]))
    if (kind, name) in _WORDS:
        return _WORDS[kind, name]
    message = _TOO_FEW_OR_MANY.sub(r"\1", error["msg"].removeprefix("Value error, "))
    of = f"{_shown(name)}: " if name and name != "rules" else ""
    return of + message[:1].lower() + message[1:200]


def _kinds_in_words(rule: object) -> str:
    if not isinstance(rule, dict):
        return "a rule is not an object"
    named = [kind for kind in KINDS if kind in rule]
    if named:
        return f"one rule cannot have {' and '.join(named)}"
    return f"a rule needs one of {', '.join(KINDS)}"
