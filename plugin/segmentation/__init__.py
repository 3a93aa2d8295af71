"""Segmentation: from a frame to the mask of its subject.

In steps, because a mask must not depend on chunks or workers:

    plan = prepare(shot, plate, to_display)    once, in the driver, from the whole plate
    plan = run_first(plan, …, folder)          where `in_order`: `track` and `sam2`
    segmenter = build(plan, info)              in each worker, from the plan alone
    mask = segmenter.segment(frame)            of a display-referred frame
"""

from plugin.segmentation.plans import SegmentPlan
from plugin.segmentation.registry import build, in_order, prepare, run_first

__all__ = ["SegmentPlan", "build", "in_order", "prepare", "run_first"]
