"""The colour space of an image file, from its tags and its format."""

from __future__ import annotations

from OpenImageIO import ImageSpec

from plugin.colour.primaries import NAMED, rgb_to_xyz

__all__ = ["colour_of", "exr_colour"]

_DPX_TRANSFERS = {
    "Linear": "lin_rec709_scene",
    "Logarithmic": "cineon_log",
    "Printing density": "cineon_log",
    "ITU-R 709-4": "g24_rec709_display",
    "SMPTE 274M": "g24_rec709_display",
    "ITU-R 601-5 system B or G": "g24_rec709_display",
    "ITU-R 601-5 system M": "g24_rec709_display",
}


def colour_of(spec: ImageSpec, reader: str) -> tuple[str, str]:
    """The space of the file's values and, where it was assumed, a note that says so.

    `colorInteropID` and `chromaticities` in EXR, the transfer field in DPX; without them EXR and
    float TIFF are linear Rec.709, the rest is sRGB.
    """
    tag = spec.get_string_attribute("colorInteropID")
    if tag and tag not in {"unknown", "data"}:
        return tag, ""
    if reader == "openexr":
        return exr_colour(spec.getattribute("chromaticities"))
    if reader in {"dpx", "cineon"}:
        return _film(spec, reader)
    if str(spec.format) in {"half", "float", "double"}:
        return "lin_rec709_scene", "no colour tag, floats taken as linear Rec.709"
    return "srgb_rec709_display", ""


def _film(spec: ImageSpec, reader: str) -> tuple[str, str]:
    transfer = "Logarithmic" if reader == "cineon" else spec.get_string_attribute("dpx:Transfer")
    if transfer in _DPX_TRANSFERS:
        return _DPX_TRANSFERS[transfer], ""
    return "srgb_rec709_display", "no transfer in the DPX header, taken as display-referred"


def exr_colour(values: object) -> tuple[str, str]:
    """The linear space with these chromaticities, and a note where there are none."""
    if not isinstance(values, tuple) or len(values) != 8:
        return "lin_rec709_scene", "no colour tag, taken as linear Rec.709"
    for name, primaries in NAMED.items():
        if all(abs(a - b) < 2e-3 for a, b in zip(values, primaries, strict=True)):
            return f"lin_{name}_scene", ""
    try:
        rgb_to_xyz(values)
    except ValueError:
        return "lin_rec709_scene", "chromaticities that make no colours, taken as linear Rec.709"
    numbers = ",".join(f"{value:.5g}" for value in values)
    return f"lin({numbers})", ""
