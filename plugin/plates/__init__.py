"""Plates: video files, image sequences and single images, read by frame number."""

from plugin.plates.checks import KnownCanvas, check_frames, unlike
from plugin.plates.images.sequence import NON_FINITE
from plugin.plates.opening import AlphaSource, open_plate, plate_of, plate_sum, settle

__all__ = [
    "NON_FINITE",
    "AlphaSource",
    "KnownCanvas",
    "check_frames",
    "open_plate",
    "plate_of",
    "plate_sum",
    "settle",
    "unlike",
]
