"""How the network's alpha is finished, and its foreground colours; settled once a shot."""

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from plugin.errors import ShotError
from plugin.finish.despill import Screen
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan
from plugin.segmentation.masks.files import MaskSettings
from plugin.segmentation.masks.pairing import pair_masks
from plugin.segmentation.plans import asked_frames
from plugin.segmentation.screen.method import ChromaSettings
from plugin.types import PlateInfo

_GREEN, _BLUE = (50.0, 165.0), (180.0, 290.0)
"""Hues, in degrees of the colour difference plane, of the screens that despill knows."""


class FinishPlan(BaseModel):
    """How the alpha of a shot is finished.

    Attributes:
        despeckle: islands and pinholes below this go; square pixels of a 1080p frame.
        choke: how far the edge moves inwards; pixels of a 1080p frame.
        soften: how far the edge is blurred; pixels of a 1080p frame.
        holdout: where the subject stays solid; None without one.
        garbage: where nothing stays; None without one.
        foreground: colours are estimated.
        despill: the screen whose light is taken off them; None leaves it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    despeckle: Annotated[float, Field(ge=0)] = 0
    choke: float = 0
    soften: Annotated[float, Field(ge=0)] = 0
    holdout: MaskSettings | None = None
    garbage: MaskSettings | None = None
    foreground: bool = False
    despill: Screen | None = None

    def digest(self, *contents: str) -> str:
        """sha256 of the settings and of the mattes' files; empty where nothing is to be done."""
        if self == FinishPlan():
            return ""
        mattes = [None if m is None else m.digest() for m in (self.holdout, self.garbage)]
        parts = [self.model_dump(mode="json", exclude={"holdout", "garbage"}), mattes, *contents]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def plan_finish(
    shot: Shot, info: PlateInfo, masks: SegmentPlan | None
) -> tuple[FinishPlan, list[str]]:
    """Settle the finishing of a shot; sizes and pairs of its mattes are looked at.

    Args:
        shot: the options.
        info: the plate.
        masks: how the masks are made, which may say the screen's colour.

    Returns:
        The plan, and what a person should know.

    Raises:
        MaskError: a garbage or holdout matte does not fit the plate.
        ShotError: options that do not go together.
    """
    refuse_format(shot)
    holdout, notes = _matte("holdout", shot.holdout, shot, info)
    garbage, more = _matte("garbage", shot.garbage, shot, info)
    plan = FinishPlan(
        despeckle=shot.despeckle,
        choke=shot.choke,
        soften=shot.soften,
        holdout=holdout,
        garbage=garbage,
        foreground=shot.channels == "fg",
        despill=_screen(shot, masks),
    )
    return plan, notes + more


def refuse_format(shot: Shot) -> None:
    """Refuse what no file can hold as promised.

    Raises:
        ShotError: a lossy compression where the matte would suffer, or despill without colours.
    """
    if shot.compression in ("dwaa", "dwab"):
        where = f"--compression {shot.compression}"
        if shot.channels != "fg":
            what = "DWA is lossy in every channel but A, and here R, G and B are the matte"
            what = "DWA is for colours, and here there is only A" if shot.channels == "a" else what
            raise ShotError(what, where=where, fix="take zips, zip or piz, or --channels fg")
        if shot.bits == "float":
            what = "DWA stores colours as half floats whatever is asked for"
            raise ShotError(what, where=where, fix="take zips, zip or piz, or --bits half")
    if shot.despill != "off" and shot.channels != "fg":
        raise ShotError(
            "there are no colours to take the spill from",
            where=f"--despill {shot.despill}",
            fix="ask for them with --channels fg",
        )


def _matte(
    name: str, given: str | None, shot: Shot, info: PlateInfo
) -> tuple[MaskSettings | None, list[str]]:
    if given is None:
        return None, []
    found = pair_masks(given, shot, info)
    keys = found.settings.keys
    notes = [f"{found.how}, {found.values}", *found.notes]
    held = asked_frames(shot, info).without(keys)
    if held and len(keys) > 1:
        notes.append(f"no matte of their own, the nearest earlier one is held: frames {held.brief}")
    if found.solid == found.looked:
        notes.append("it is white all over in the frames that were looked at")
    if found.empty == found.looked:
        notes.append("it is black all over in the frames that were looked at")
    return found.settings, [f"{name}: {note}" for note in notes]


def _screen(shot: Shot, masks: SegmentPlan | None) -> Screen | None:
    if shot.despill != "auto":
        return None if shot.despill == "off" else shot.despill
    if masks is not None and isinstance(masks.settings, ChromaSettings):
        hue = masks.settings.hue
        if _GREEN[0] <= hue <= _GREEN[1]:
            return "green"
        if _BLUE[0] <= hue <= _BLUE[1]:
            return "blue"
    raise ShotError(
        "no green or blue screen was keyed, so its colour is not known",
        where="--despill auto",
        fix="say --despill green or --despill blue",
    )
