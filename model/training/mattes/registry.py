"""All kinds of matte by name, and how often each is drawn."""

import zlib
from collections.abc import Callable

import numpy as np

from model.training.mattes.base import ProceduralMatte, finish
from model.training.mattes.blur import defocus, motion_blur, moving_body, soft_blob
from model.training.mattes.feathers import feathers
from model.training.mattes.foliage import flower, foliage, grass
from model.training.mattes.fur import fur, wool
from model.training.mattes.hair import hair
from model.training.mattes.holes import fence, lace, net, pierced
from model.training.mattes.smoke_glass import glass, smoke, veil
from model.training.mattes.thin import fringe, spokes, web, wires
from plugin.errors import ShotError

_Render = Callable[[np.random.Generator, int], ProceduralMatte]

_REGISTRY: dict[str, tuple[_Render, float]] = {
    "hair": (hair, 5.0),
    "fur": (fur, 5.0),
    "wool": (wool, 2.0),
    "soft_blob": (soft_blob, 1.5),
    "moving_body": (moving_body, 1.0),
    "wires": (wires, 1.0),
    "fringe": (fringe, 1.2),
    "spokes": (spokes, 0.4),
    "web": (web, 0.4),
    "net": (net, 1.2),
    "lace": (lace, 0.8),
    "feathers": (feathers, 1.2),
    "foliage": (foliage, 2.5),
    "grass": (grass, 1.2),
    "flower": (flower, 1.0),
    "pierced": (pierced, 0.6),
    "fence": (fence, 0.5),
    "smoke": (smoke, 0.7),
    "glass": (glass, 0.5),
    "veil": (veil, 0.5),
}

KINDS: tuple[str, ...] = tuple(_REGISTRY)
WEIGHTS: dict[str, float] = {kind: weight for kind, (_, weight) in _REGISTRY.items()}

# Standard deviation of the camera's point spread, px, as real mattes of the kind have it: the
# depth of fur is seldom all in focus.
_SHARPNESS = {"fur": (0.35, 1.1), "wool": (0.35, 1.1), "hair": (0.3, 0.75)}

# Kinds that bring their own blur; the others get some now and then.
_BLURRED = frozenset({"soft_blob", "moving_body"})


def render(kind: str, size: int, seed: int) -> ProceduralMatte:
    """One matte of a kind, a function of its arguments alone.

    Args:
        kind: one of `KINDS`.
        size: S, px per side; at least 64.
        seed: any non-negative integer.

    Raises:
        ShotError: no such kind, or too small a size.
    """
    if kind not in _REGISTRY:
        raise ShotError("no such kind of matte", where=kind, fix=f"take one of {', '.join(KINDS)}")
    if size < 64:
        raise ShotError("too small for a matte", where=f"size {size}", fix="take at least 64 px")
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    matte = _REGISTRY[kind][0](rng, size)
    if kind not in _BLURRED:
        matte = _photographed(rng, matte)
    least, most = _SHARPNESS.get(kind, (0.3, 0.85))
    return finish(matte, float(rng.uniform(least, most)))


def render_any(size: int, seed: int) -> ProceduralMatte:
    """One matte of a kind drawn by `WEIGHTS`; arguments as of `render`."""
    shares = np.array(list(WEIGHTS.values()))
    pick = np.random.default_rng([seed, 0]).choice(len(KINDS), p=shares / shares.sum())
    return render(KINDS[int(pick)], size, seed)


def _photographed(rng: np.random.Generator, matte: ProceduralMatte) -> ProceduralMatte:
    """One in six somewhat out of focus, one in twelve moving."""
    draw = float(rng.random())
    if draw < 1 / 6:
        return defocus(rng, matte, largest=float(rng.uniform(0.8, 4.5)))
    if draw < 1 / 4:
        return motion_blur(rng, matte, longest=float(rng.uniform(2, 14)))
    return matte
