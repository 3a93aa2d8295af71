"""The colour space of an image file, from its tags and its format."""

from __future__ import annotations

from OpenImageIO import ImageSpec

__all__ = ["colour_of", "exr_colour"]

_PRIMARIES = {
    "rec709": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    "rec2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    "p3d65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
    "ap0": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767),
    "ap1": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767),
    "ciexyz": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
}
"""x and y of red, green, blue and white, as in OpenEXR's `chromaticities`."""

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
    for name, primaries in _PRIMARIES.items():
        if all(abs(a - b) < 2e-3 for a, b in zip(values, primaries, strict=True)):
            return f"lin_{name}_scene", ""
    numbers = ",".join(f"{value:.5g}" for value in values)
    return f"lin({numbers})", ""
