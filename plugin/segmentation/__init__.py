"""Segmentation: from a frame to the mask of its subject.

Two steps, because a mask must not depend on chunks or workers:

    plan = prepare(shot, plate, to_display)    once, in the driver, from the whole plate
    segmenter = build(plan, info)              in each worker, from the plan alone
    mask = segmenter.segment(frame)            of a display-referred frame
"""

from plugin.segmentation.plans import DisplayTransform, Method, SegmentPlan
from plugin.segmentation.registry import METHODS, build, prepare

__all__ = ["METHODS", "DisplayTransform", "Method", "SegmentPlan", "build", "prepare"]
