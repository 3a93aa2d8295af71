"""`none`: no segmentation; the whole frame is unknown."""

import numpy as np

from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings
from plugin.types import Frame, Mask, PlateInfo, Segmenter


class WholeFrameSettings(Settings, method="none"):
    """Nothing to set."""


class WholeFrame:
    """Says of every pixel that it does not know."""

    def segment(self, frame: Frame) -> Mask:
        """Coverage 0.5 and unsure, everywhere."""
        height, width = frame.rgb.shape[:2]
        coverage = np.full((height, width), 0.5, np.float32)
        return Mask(frame.number, coverage, np.ones((height, width), np.bool_), confidence=0.0)

    def digest(self, number: int) -> str:  # noqa: ARG002  the same for every frame
        """The same for every frame."""
        return WholeFrameSettings().digest("none")


def plan_whole_frame(reason: str) -> SegmentPlan:
    """The plan of `none`."""
    return SegmentPlan(method="none", settings=WholeFrameSettings(), reason=reason)


def _prepare(request: Request) -> SegmentPlan:  # noqa: ARG001
    return plan_whole_frame("no segmentation: the whole frame is unknown, as asked")


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:  # noqa: ARG001
    return WholeFrame()


NONE = Method(_prepare, _build, needs="--segment none: the whole frame is unknown")
