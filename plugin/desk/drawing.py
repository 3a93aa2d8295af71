"""What a browser may ask of keys and prompts, and how a stroke or a polygon changes a key."""

from typing import Annotated, Literal, Self

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from plugin.errors import FrameError
from plugin.framerange import MAX_NUMBER
from plugin.trimap.override.models import Point, Stroke
from plugin.trimap.override.override import paint
from plugin.trimap.override.raster import GRID, on_grid
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, LabelArray, PlateInfo

_LABELS = {"foreground": FOREGROUND, "background": BACKGROUND}
_Prompt = Annotated[str, StringConstraints(max_length=100)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class KeyChange(_Asked):
    """A change of one frame's key.

    Attributes:
        frame: its number.
        start: what a frame without a key begins with.
        set: what is drawn.
        stroke: a round brush along a line, or
        polygon: corners; pixels of the display window both.
        remove: take the key away instead.
    """

    frame: Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
    start: Literal["nothing", "trimap", "matte"] = "nothing"
    set: Literal["background", "foreground"] = "foreground"
    stroke: Stroke | None = None
    polygon: Annotated[tuple[Point, ...], Field(min_length=3, max_length=10_000)] | None = None
    remove: bool = False

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.remove + (self.stroke is not None) + (self.polygon is not None) > 1:
            raise ValueError("give one of stroke, polygon and remove")
        return self

    def drawn(self, mask: LabelArray, info: PlateInfo) -> LabelArray:
        """A key with what is drawn, `H × W` uint8, 0 and 255."""
        changed = mask.copy()
        if self.stroke is not None:
            points, radius = on_grid(self.stroke.points), round(self.stroke.radius * GRID)
            paint(changed, points, radius, _LABELS[self.set], info)
        if self.polygon is not None:
            paint(changed, on_grid(self.polygon), None, _LABELS[self.set], info)
        return changed


class PromptChange(_Asked):
    """Prompts that come and go together, as `--prompt` has them."""

    add: Annotated[tuple[_Prompt, ...], Field(max_length=100)] = ()
    remove: Annotated[tuple[_Prompt, ...], Field(max_length=100)] = ()


def as_mask(covered: npt.NDArray[np.bool_]) -> LabelArray:
    """A key of what is covered, `H × W`: 0 and 255."""
    return covered.astype(np.uint8) * np.uint8(FOREGROUND)


def of_trimap(labels: LabelArray) -> LabelArray:
    """A key of a trimap: its unknown is the subject's where that is nearer than the background."""
    inside, outside = (
        cv2.distanceTransform((labels != label).astype(np.uint8), cv2.DIST_L2, 3)
        for label in (FOREGROUND, BACKGROUND)
    )
    return as_mask((labels == FOREGROUND) | ((labels == UNKNOWN) & (inside <= outside)))


def refuse_nothing(mask: LabelArray, number: int) -> None:
    """Refuse a key without a subject, which no run takes.

    Raises:
        FrameError: it is one.
    """
    if not mask.any():
        fix = "paint some with F, or remove the key"
        raise FrameError("no subject would be left in this key", where=f"frame {number}", fix=fix)
