"""The colour space of an image file, from its tags and its format."""

from pathlib import Path

from OpenImageIO import ImageSpec

from plugin.colour.primaries import NAMED, rgb_to_xyz
from plugin.plates.images.png_tags import png_colour

_DPX_TRANSFERS = {
    "Logarithmic": "cineon_log",
    "Printing density": "cineon_log",
    "ITU-R 709-4": "g24_rec709_display",
    "SMPTE 274M": "g24_rec709_display",
    "ITU-R 601-5 system B or G": "g24_rec709_display",
    "ITU-R 601-5 system M": "g24_rec709_display",
}


_CREATOR = slice(160, 260)
"""Where a DPX names the program that wrote it (SMPTE ST 268, generic file header)."""

_FEW_BITS = 10


def colour_of(spec: ImageSpec, reader: str, path: Path) -> tuple[str, str]:
    """The space of the file's values and, where it was assumed, a note that says so.

    `colorInteropID` and `chromaticities` in EXR, the transfer field in DPX, cICP, sRGB and gAMA in
    PNG; without them EXR and float TIFF are linear Rec.709, the rest is sRGB.
    """
    tag = spec.get_string_attribute("colorInteropID")
    if tag and tag not in {"unknown", "data"}:
        return tag, ""
    if reader == "png":
        return png_colour(path)
    if reader == "openexr":
        return exr_colour(spec.getattribute("chromaticities"))
    if reader in {"dpx", "cineon"}:
        return _film(spec, reader, path)
    if str(spec.format) in {"half", "float", "double"}:
        return "lin_rec709_scene", "no colour tag, floats taken as linear Rec.709"
    return "srgb_rec709_display", ""


def _film(spec: ImageSpec, reader: str, path: Path) -> tuple[str, str]:
    transfer = "Logarithmic" if reader == "cineon" else spec.get_string_attribute("dpx:Transfer")
    if transfer == "Linear":
        return _linear_film(spec, path)
    if transfer in _DPX_TRANSFERS:
        return _DPX_TRANSFERS[transfer], ""
    return "srgb_rec709_display", "no transfer in the DPX header, taken as display-referred"


def _linear_film(spec: ImageSpec, path: Path) -> tuple[str, str]:
    """`Linear` in a DPX: FFmpeg writes it into every file, and nobody keeps light in ten bits."""
    stored = int(spec.get_int_attribute("oiio:BitsPerSample", 0))
    with path.open("rb") as file:
        creator = file.read(_CREATOR.stop)[_CREATOR]
    why = "as FFmpeg writes into every one" if creator.startswith(b"Lavc") else ""
    why = why or ("in too few bits for that" if 0 < stored <= _FEW_BITS else "")
    if why:
        note = f"its header says linear, {why}: taken as display-referred"
        return "srgb_rec709_display", f"{note}; --in-colour lin_rec709_scene if it is not"
    return "lin_rec709_scene", "its header says linear, taken as linear Rec.709"


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
