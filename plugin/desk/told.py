"""What masks are made of besides the plate, and a change of that."""

from collections.abc import Mapping
from dataclasses import dataclass

from plugin.request.shot import Shot


@dataclass(frozen=True, slots=True)
class Told:
    """What the masks are made of.

    Attributes:
        keyframes: file of each key's mask by frame; absolute.
        prompts: as `--prompt` has them.
    """

    keyframes: Mapping[int, str]
    prompts: tuple[str, ...] = ()

    def over(self, shot: Shot) -> Shot:
        """The shot with them."""
        keys = tuple(f"{number}={file}" for number, file in sorted(self.keyframes.items()))
        return shot.model_copy(update={"keyframe": keys, "prompt": self.prompts})


@dataclass(frozen=True, slots=True)
class Step:
    """A change, and what it was made of: what is another by now is not written over."""

    before: Told
    after: Told
    number: int | None = None
    was: bytes | None = None
    now: bytes | None = None
