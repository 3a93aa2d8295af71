"""Synthetic shots: a furry creature over a busy scene, procedural, with exact true alpha."""

from plugin.synthetic.render import render
from plugin.synthetic.shot import ShotKind, SyntheticFrame, SyntheticShot
from plugin.synthetic.write import write_shot, write_truth, write_video

__all__ = [
    "ShotKind",
    "SyntheticFrame",
    "SyntheticShot",
    "render",
    "write_shot",
    "write_truth",
    "write_video",
]
