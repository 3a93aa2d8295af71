"""What a stranger may do to a result: to mattes, pictures, raw alphas, the manifest, the claims."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from plugin.result.layout import OutputLayout


def _some(folder: Path, dice: random.Random) -> Path:
    return dice.choice(sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != "."))


def _copied(layout: OutputLayout, dice: random.Random) -> None:
    """A matte under another frame's name."""
    one, other = (_some(layout.out / "alpha", dice) for _ in range(2))
    if one != other:
        shutil.copy(one, other)


def _flipped(layout: OutputLayout, dice: random.Random) -> None:
    path = _some(layout.out / "alpha", dice)
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def _removed(layout: OutputLayout, dice: random.Random) -> None:
    _some(layout.out / "alpha", dice).unlink()


def _picture(layout: OutputLayout, dice: random.Random) -> None:
    """A mask or trimap under another frame's name."""
    folder = layout.out / dice.choice(("trimap", "adapted", "mask"))
    one, other = _some(folder, dice), _some(folder, dice)
    if one != other:
        shutil.copy(one, other)


def _forgotten(layout: OutputLayout, dice: random.Random) -> None:
    """A frame's record is gone."""
    told = json.loads(layout.manifest.read_text())
    told["frames"].pop(dice.choice(sorted(told["frames"])))
    layout.manifest.write_text(json.dumps(told))


def _no_manifest(layout: OutputLayout, dice: random.Random) -> None:  # noqa: ARG001
    layout.manifest.unlink()


def _claim(layout: OutputLayout, dice: random.Random) -> None:
    """A claim that nobody holds: a folder, a link to nothing, an empty file, a dead run's."""
    path = layout.out / f".claim-{dice.getrandbits(64):016x}.json"
    way = dice.randrange(3)
    if way == 0:
        path.mkdir()
    elif way == 1:
        path.symlink_to("nothing")
    else:
        path.write_bytes(b"")


def _raw(layout: OutputLayout, dice: random.Random) -> None:
    """A raw alpha, left by a run that was ended, under another frame's name."""
    one, other = (_some(layout.out / "raw", dice) for _ in range(2))
    if one.suffix == other.suffix and one != other:
        shutil.copy(one, other)


TAMPERINGS: tuple[Callable[[OutputLayout, random.Random], None], ...] = (
    _copied,
    _flipped,
    _removed,
    _picture,
    _forgotten,
    _no_manifest,
    _claim,
    _raw,
)
