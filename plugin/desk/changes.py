"""What a browser may ask of the override file: rules added, changed, taken away, each undoable.

A change says what the rule was: where the file says something else by now, edited by hand or in
another window, it is refused rather than written over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from plugin.errors import RequestError
from plugin.framerange import MAX_NUMBER
from plugin.trimap.override.models import OverrideFile, Rule


class ConflictError(RequestError):
    """The file says something else by now than whoever wants to change it has seen."""


class Change(BaseModel):
    """One change of one rule.

    Attributes:
        was: the rule as it is known to stand there; None for one that is new.
        now: as it shall be; None to take it away.
        place: of a new rule, from 0; None is behind all others, where it wins over them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    was: Rule | None = None
    now: Rule | None = None
    place: Annotated[int, Field(ge=0, le=10_000)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Change:
        if self.was is None and self.now is None:
            raise ValueError("give was, now or both")
        return self


class Changes(BaseModel):
    """Changes that are made, and undone, together.

    Attributes:
        changes: in their order.
        frame: that is looked at: what it is called then is told with the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    changes: Annotated[tuple[Change, ...], Field(min_length=1, max_length=1000)]
    frame: Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None = None


def applied(
    file: OverrideFile, changes: Iterable[Change]
) -> tuple[OverrideFile, tuple[Change, ...]]:
    """The file with these changes, and the changes that take them back.

    A new rule whose id is taken gets another.

    Raises:
        ConflictError: a rule is not there, or is not as it is said to be.
    """
    rules = list(file.rules)
    back: list[Change] = []
    for change in changes:
        place = _place(rules, change)
        if change.was is not None:
            del rules[place]
        now = change.now
        if now is not None:
            now = _with_own_id(now, {rule.id for rule in rules})
            rules.insert(place, now)
        back.append(Change(was=now, now=change.was, place=place))
    update = {"rules": tuple(rules)}
    return file.model_copy(update=update), tuple(reversed(back))


def _place(rules: list[Rule], change: Change) -> int:
    if change.was is None:
        return len(rules) if change.place is None else min(change.place, len(rules))
    for place, rule in enumerate(rules):
        if rule == change.was:
            return place
    there = any(rule.id == change.was.id for rule in rules)
    raise ConflictError(
        "it was changed elsewhere" if there else "it is there no more",
        where=f"rule {change.was.id}",
        fix="look at it again",
    )


def _with_own_id(rule: Rule, taken: set[str]) -> Rule:
    if rule.id not in taken:
        return rule
    stem = rule.id[:56].rstrip("0123456789").rstrip("-")
    number = next(n for n in range(2, len(taken) + 3) if f"{stem}-{n}" not in taken)
    return rule.model_copy(update={"id": f"{stem}-{number}"})
