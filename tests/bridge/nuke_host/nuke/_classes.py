"""Which knobs Nuke gives to each class of node that the bridge uses."""

from __future__ import annotations

from typing import Any

from . import _knobs as k

__all__ = ["CLASSES", "EVERY", "INPUTS", "OF_FILE_TYPE"]

EVERY: dict[str, tuple[Any, ...]] = {
    "label": (k.String_Knob,),
    "tile_color": (k.Unsigned_Knob,),
    "xpos": (k.Int_Knob,),
    "ypos": (k.Int_Knob,),
    "disable": (k.Boolean_Knob,),
}
_ENDS = ("hold", "loop", "bounce", "black")

CLASSES: dict[str, dict[str, tuple[Any, ...]]] = {
    "Group": {},
    "Root": {
        "proxy": (k.Boolean_Knob,),
        "colorManagement": (k.Enumeration_Knob, None, ("Nuke", "OCIO")),
        "OCIO_config": (k.Enumeration_Knob, None, ("nuke-default", "aces_1.2", "custom")),
        "first_frame": (k.Int_Knob,),
        "last_frame": (k.Int_Knob,),
    },
    "Input": {"number": (k.Int_Knob,)},
    "Output": {},
    "Dot": {},
    "Grade": {"white": (k.Double_Knob,)},
    "Read": {
        "file": (k.File_Knob,),
        "first": (k.Int_Knob,),
        "last": (k.Int_Knob,),
        "origfirst": (k.Int_Knob,),
        "origlast": (k.Int_Knob,),
        "origset": (k.Boolean_Knob,),
        "before": (k.Enumeration_Knob, None, _ENDS),
        "after": (k.Enumeration_Knob, None, _ENDS),
        "on_error": (
            k.Enumeration_Knob,
            None,
            ("error", "black", "checkerboard", "nearest frame"),
        ),
        "raw": (k.Boolean_Knob,),
        "frame_mode": (k.Enumeration_Knob, None, ("expression", "start at", "offset")),
        "frame": (k.String_Knob,),
        "reload": (k.Script_Knob,),
    },
    "Write": {
        "file": (k.File_Knob,),
        "file_type": (k.Enumeration_Knob, None, ("", "exr", "png", "dpx")),
        "channels": (k.Channel_Knob,),
        "raw": (k.Boolean_Knob,),
    },
    "Copy": {"from0": (k.Channel_Knob,), "to0": (k.Channel_Knob,)},
    "Premult": {},
    "Roto": {},
    "RotoPaint": {},
}
OF_FILE_TYPE: dict[str, dict[str, tuple[Any, ...]]] = {
    "exr": {
        "datatype": (k.Enumeration_Knob, None, ("16 bit half", "32 bit float")),
        "compression": (
            k.Enumeration_Knob,
            None,
            ("none", "Zip (1 scanline)", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)"),
        ),
    }
}
"""Knobs that a Write has only once its file type is set."""

INPUTS = {"Read": 0, "Input": 0, "Copy": 3}
