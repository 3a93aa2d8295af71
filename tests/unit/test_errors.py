"""The error tree: its picture, its exit codes, and the way from process to process."""

from __future__ import annotations

import pickle
import re

import pytest

from plugin import errors
from plugin.errors import (
    AdaMatteError,
    FrameError,
    Interrupted,
    MaskError,
    PictureError,
    PlateError,
    RequestError,
    SurroundingsError,
    told_as,
)


def below(kind: type[AdaMatteError]) -> list[type[AdaMatteError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in below(child))]


TREE = [kind for kind in below(AdaMatteError) if kind.__module__ == errors.__name__]


def test_the_picture_shows_every_error() -> None:
    picture = re.search(r"```(.*?)```", errors.__doc__ or "", re.DOTALL)
    assert picture is not None
    shown = re.findall(r"^[│├└─ ]*(\w+)", picture[1], re.MULTILINE)
    assert sorted(shown) == sorted(kind.__name__ for kind in TREE)


@pytest.mark.parametrize("kind", TREE)
def test_exit_codes_are_the_contracts(kind: type[AdaMatteError]) -> None:
    codes: dict[type, int] = {
        RequestError: 2,
        FrameError: 3,
        SurroundingsError: 4,
        Interrupted: 130,
    }
    expected = [code for parent, code in codes.items() if issubclass(kind, parent)]
    assert [kind.exit_code] == (expected or [4])


@pytest.mark.parametrize("kind", TREE)
def test_errors_are_pickled_whole(kind: type[AdaMatteError]) -> None:
    error = kind("no such plate", where="sh010.mov", fix="check the path")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(again) is kind
    assert (again.what, again.where, again.fix) == ("no such plate", "sh010.mov", "check the path")
    assert str(again) == "no such plate · sh010.mov · check the path"


def test_an_interruption_keeps_its_exit_code() -> None:
    error = Interrupted("ended", where="sh010", fix="again", exit_code=143)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert again.exit_code == 143


@pytest.mark.parametrize(
    ("raised", "of", "where", "told"),
    [
        (PictureError, PictureError, None, (MaskError, "m.png")),
        (PictureError, PictureError, "frame 7", (MaskError, "frame 7")),
        (PlateError, PictureError, None, (PlateError, "m.png")),
        (PlateError, AdaMatteError, None, (MaskError, "m.png")),
        (MaskError, AdaMatteError, None, (MaskError, "m.png")),
    ],
)
def test_an_error_is_told_as_what_it_is_to_the_caller(
    raised: type[AdaMatteError],
    of: type[AdaMatteError],
    where: str | None,
    told: tuple[type[AdaMatteError], str],
) -> None:
    @told_as(MaskError, of=of, where=where)
    def read() -> None:
        raise raised("damaged", where="m.png", fix="render it again")

    for _ in range(2):  # a decorator serves every call
        with pytest.raises(AdaMatteError) as caught:
            read()
        assert type(caught.value) is told[0]
        assert str(caught.value) == f"damaged · {told[1]} · render it again"
