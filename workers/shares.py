"""How many workers a GPU gets, and what share of it each is given."""

from dataclasses import dataclass

from plugin.errors import ShotError

_MOST = 8
"""Workers on one card: more wait for it, not for each other."""

_SHARE = 0.9
"""Of a card's memory, that is given to workers."""


@dataclass(frozen=True, slots=True)
class Each:
    """Workers on each card.

    Attributes:
        workers: how many.
        why: what allows for no more, in words.
    """

    workers: int
    why: str

    @property
    def share(self) -> float:
        """What each has of its card, as Ray counts it: in ten-thousandths."""
        return 10_000 // self.workers / 10_000


def each_gpu(*, gpus: int, cores: int, memory: int, takes: int) -> Each:
    """How many workers are put on each card where nobody says it.

    Args:
        gpus: cards, 1 at least.
        cores: of the machine; each worker keeps one busy beside its card.
        memory: bytes of the smallest card, whatever of it is free.
        takes: bytes that a worker has of it: `model.inference.gpu_memory.card_bytes`.
    """
    limits = {
        "more would wait for the card": _MOST,
        f"{cores} cores for {gpus} GPU{'s' if gpus > 1 else ''}": cores // gpus,
        f"{takes / 1e9:.1f} GB each of the card's {memory / 1e9:.0f}": int(_SHARE * memory)
        // takes,
    }
    why = min(limits, key=lambda limit: limits[limit])
    return Each(max(1, limits[why]), why)


def fitting(gpus: float, share: float) -> int:
    """How many shares of that size so many cards of one machine hold: none lies across two."""
    if share < 1:
        return int(gpus) * int(1 / share + 1e-6)
    return int(gpus / share + 1e-6)


def refuse_share(share: float, gpus: float) -> None:
    """Refuse what no worker will ever be given.

    Args:
        share: of a GPU, that each worker asks for.
        gpus: of the machine that has most.

    Raises:
        ShotError: it is more than there is, or one and a part.
    """
    if share > 1 and share != int(share):
        what, fix = f"{share:g} GPUs are no whole ones", "give 1, 2, … or a part of one"
    elif share > gpus:
        what = f"a worker asks for {share:g} GPUs of a machine that has {gpus:g}"
        fix = f"give {gpus:g} at most"
    else:
        return
    raise ShotError(what, where="--gpus-per-worker", fix=fix)
