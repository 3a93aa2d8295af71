"""How a shot is stabilised: how far a frame looks, and among which frames."""

from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.stabilise.smoothing import VERSION


class StabilisePlan(BaseModel):
    """Settled once a shot.

    Attributes:
        radius: frames on each side, by number: where the shot has gaps or ends, there are fewer.
        frames: those that may be looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    radius: Annotated[int, Field(ge=1, le=8)]
    frames: FrameRange

    @cached_property
    def _among(self) -> frozenset[int]:
        return frozenset(self.frames)

    def around(self, number: int) -> list[int]:
        """The neighbours of a frame, itself left out, ascending."""
        reach = range(number - self.radius, number + self.radius + 1)
        return [near for near in reach if near != number and near in self._among]

    def reach(self, frames: FrameRange) -> FrameRange:
        """These frames and the neighbours of each."""
        return FrameRange.of({near for one in frames for near in (one, *self.around(one))})

    @property
    def digest(self) -> str:
        """What changes whenever the same raw alphas give other pixels."""
        return f"stabilise {VERSION} {self.radius}"


def plan_stabilise(shot: Shot, there: FrameRange) -> StabilisePlan | None:
    """Settle the stabilisation of a shot; None where it is off.

    Args:
        shot: the options.
        there: the frames that the plate has. All may be looked at, asked for or not: a frame comes
            out the same whether it is done alone, by a task of a farm, or with the whole shot.
    """
    if not shot.stabilise:
        return None
    return StabilisePlan(radius=shot.stabilise, frames=there)
