"""How a field of `Shot` is asked for: what the command line, job files and hosts need beside it."""

from dataclasses import dataclass

SHOT, MASK, TRIMAP = "The shot", "The mask", "The trimap"
NETWORK, CLEANUP, OUTPUT = "The network", "Clean-up", "The result"
WORK = "How it is computed"
HEADINGS = (SHOT, MASK, TRIMAP, NETWORK, CLEANUP, OUTPUT, WORK)
"""Every heading: what a whole job takes, on whatever machine."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a field is asked for; its type, default, bounds and help stand with it.

    Attributes:
        heading: where it stands in the help.
        metavar: what stands for the value; empty for a choice, which lists itself, and a flag.
        path: it holds a file, a folder or a pattern.
        pixels: whether the pixels of a frame's alpha depend on it.
    """

    heading: str
    metavar: str = ""
    path: bool = False
    pixels: bool = True
