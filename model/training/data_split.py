"""Which source pictures training may see, and which are kept for the composition test set.

The side is a function of the file's base name alone, so that it is the same on every machine, for
every subset of the files and whatever is added later. Pictures that show the same thing (crops of
one wallpaper, halves of one panorama, views of one object, frames of one take) share a group, and
a group lies wholly on one side.
"""

import hashlib
import re
from pathlib import PurePath
from typing import Final

HELD_OUT_SHARE: Final = 0.10
"""Share of the groups that is held out of training."""

_SALT: Final = "adamatte/held-out/1"

# What must not be split and must not be missing from training: the only real performer in motion
# (other frames of that take are the project's own test video), and two small families of sprites
# that are variations of one picture.
_ALWAYS_TRAINING: Final = ("dancer1_frames_apache2", "kenney_smoke_cc0", "glow_cc0")

# Families whose names carry more than the subject. The first match wins; its group names the
# subject.
_SUBJECTS: Final = (
    # wall__<title>[_<hash>][__<crop>]: the picture and its detail crops; pictures of one title by
    # one photographer (`Water_Lily_1ef3cf`, `Water_Lily_9d3c5f`) are often of one session.
    re.compile(r"(wall__.+?)(?:_[0-9a-f]{6})?(?:__\d+)?"),
    # hdri_<place>_<half>: two halves of one panorama.
    re.compile(r"(hdri_.+)_\d"),
    # Frames of one film shot.
    re.compile(r"(sintel)_\d+"),
    # Views or variants of one generated object: multi_tiger_1, misc_paper_machine3.
    re.compile(r"trellis_mit__(?:multi|typical|weatherworn)_(.+?)_?\d*"),
)

# Hair rendered with strands, `hair_bpy_cc0__<seed>`: the seed says what was rendered.
_RENDERED: Final = re.compile(r"hair_bpy_cc0__(\d+)(?:\D.*)?")
_RENDERED_KINDS: Final = 31

# Of those kinds: long loose hair, a bun with flying hairs, and a long-haired dog. Whole kinds, not
# a share of the pictures: what hair that was never seen looks like is what the test set asks.
_RENDERED_HELD_OUT: Final = frozenset({3, 8, 13})

# One photograph under two names.
_ALIASES: Final = {"wall__photo-1451187580459-43490279c0fa": "wall__nasa-53884"}


def group_key(name: str) -> str:
    """The group of pictures that `name` belongs to.

    Args:
        name: a file name or path, with or without extension; only the base name counts.

    Returns:
        The key that all pictures of one subject share; the stem itself for a picture alone.
    """
    stem = _stem(name)
    for prefix in _ALWAYS_TRAINING:
        if stem.startswith(prefix):
            return prefix
    if (kind := rendered_kind(stem)) is not None:
        return f"hair_bpy_cc0__kind_{kind}"
    for pattern in _SUBJECTS:
        if match := pattern.fullmatch(stem):
            return _ALIASES.get(match[1], match[1])
    return stem


def rendered_kind(name: str) -> int | None:
    """Which kind of rendered hair a picture shows, 0 to 30; None for all other pictures.

    Args:
        name: a file name or path, with or without extension; only the base name counts.
    """
    match = _RENDERED.fullmatch(_stem(name))
    return int(match[1]) % _RENDERED_KINDS if match else None


def is_held_out(name: str) -> bool:
    """Whether the picture of that name is kept out of training, for the test set.

    Args:
        name: a file name or path, with or without extension; only the base name counts.
    """
    kind = rendered_kind(name)
    if kind is not None:
        return kind in _RENDERED_HELD_OUT
    group = group_key(name)
    if group in _ALWAYS_TRAINING:
        return False
    digest = hashlib.sha256(f"{_SALT}\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_SHARE * 2**64


def _stem(name: str) -> str:
    base = PurePath(name).name
    return re.sub(r"\.(?:jpe?g|png|webp|tiff?|exr)$", "", base, flags=re.IGNORECASE)
