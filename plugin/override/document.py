"""From the bytes of an override file to its model; every mistake is an `OverrideError`."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from plugin.errors import OverrideError
from plugin.override.models import KINDS, OverrideFile

__all__ = ["MAX_BYTES", "parse", "read_bytes", "rule_name"]

MAX_BYTES = 4_000_000
MAX_DEPTH = 16
"""Levels of brackets; a keyed polygon has six."""

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_DOCUMENTED = "see the schema of trimap-override/1"


def read_bytes(path: Path) -> bytes:
    """The file's contents.

    Raises:
        OverrideError: it is missing, no file, or over 4 MB.
    """
    try:
        if not path.is_file():
            raise OverrideError("no such override file", where=path, fix="check the name")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as problem:
        what = f"cannot be read: {problem.strerror or problem}"
        raise OverrideError(what, where=path, fix="check the file") from problem
    if len(content) > MAX_BYTES:
        raise OverrideError(
            "the override file is over 4 MB", where=path, fix="paint large corrections as images"
        )
    return content


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
            "two rules have this id", where=f"{path}: rule “{twice[0]}”", fix="give each its own"
        )
    return file


def rule_name(path: Path, number: int, rule: Any) -> str:
    """How a message names a rule: its file, its place from 1, and its id where it has one."""
    name = rule.get("id") if isinstance(rule, dict) else getattr(rule, "id", None)
    shown = f" “{name[:64]}”" if isinstance(name, str) and name.isprintable() else ""
    return f"{path}: rule {number}{shown}"


def _load_json(content: bytes, path: Path) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise OverrideError("not UTF-8 text", where=path, fix="save it as UTF-8") from problem
    if _depth(text) > MAX_DEPTH:
        raise OverrideError(
            f"brackets nest deeper than {MAX_DEPTH} levels", where=path, fix=_DOCUMENTED
        )
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except _RepeatedKeyError as problem:
        raise OverrideError(
            f"the key “{problem.key}” is there twice",
            where=_where_repeated(path, problem),
            fix="keep one of them",
        ) from None
    except json.JSONDecodeError as problem:
        raise OverrideError(
            f"not JSON: {problem.msg}",
            where=f"{path}, line {problem.lineno}, column {problem.colno}",
            fix="correct it there",
        ) from None
    except (ValueError, RecursionError) as problem:
        what = f"not JSON: {str(problem).splitlines()[0][:100]}"
        raise OverrideError(what, where=path, fix="correct it") from None


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


class _RepeatedKeyError(Exception):
    def __init__(self, key: str, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(key)
        self.key = key
        self.pairs = pairs


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key[:64], pairs)
        found[key] = value
    return found


def _where_repeated(path: Path, problem: _RepeatedKeyError) -> str:
    """The rule by its id where the key is repeated in a rule itself."""
    name = next((value for key, value in problem.pairs if key == "id"), None)
    return f"{path}: rule “{name[:64]}”" if isinstance(name, str) else f"{path}"


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _first_of(problem: ValidationError, document: Any, path: Path) -> OverrideError:
    """The first mistake in words, named by its rule, with how many more there are."""
    errors = problem.errors(include_url=False, include_context=True)
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return OverrideError(
        _in_words(first, document) + more, where=_where(first, document, path), fix=_DOCUMENTED
    )


def _where(error: ErrorDetails, document: Any, path: Path) -> str:
    place = list(error["loc"])
    if len(place) < 2 or place[0] != "rules" or not isinstance(place[1], int):
        return f"{path}" + (f": {place[0]}" if place and place[0] != "rules" else "")
    rule = document["rules"][place[1]]
    # The discriminator puts the rule's kind before its keys.
    inner = place[3:] if len(place) > 2 and place[2] in KINDS else place[2:]
    within = ", " + ".".join(str(step) for step in inner)[:100] if inner else ""
    return rule_name(path, place[1] + 1, rule) + within


def _in_words(error: ErrorDetails, document: Any) -> str:
    kind, name = error["type"], str(error["loc"][-1])[:64] if error["loc"] else ""
    if kind == "extra_forbidden":
        return f"unknown key “{name}”"
    if kind == "missing":
        return f"the key “{name}” is missing"
    if kind == "union_tag_not_found":
        return _kinds_in_words(document["rules"][error["loc"][1]])
    if kind == "literal_error" and name == "schema":
        return "another schema than trimap-override/1"
    if kind == "too_long" and name == "rules":
        return "more than 10 000 rules"
    message = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:200]


def _kinds_in_words(rule: Any) -> str:
    if not isinstance(rule, dict):
        return "a rule is not an object"
    named = [kind for kind in KINDS if kind in rule]
    if named:
        return f"one rule cannot have {' and '.join(named)}"
    return f"a rule needs one of {', '.join(KINDS)}"
