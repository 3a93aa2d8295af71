"""What a PNG says of its colours, in the chunks before its pixels (PNG, third edition, 4.3).

The order of belief is the standard's: cICP, then an ICC profile, then sRGB, then gAMA and cHRM.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from plugin.colour.primaries import CODED_PRIMARIES, CODED_TRANSFERS, NAMED, REC709

_SRGB = "srgb_rec709_display"
_MOST_CHUNKS = 1000
_LONGEST = 1 << 16
"""Bytes of a chunk that is looked into; profiles are longer, and only seen to be there."""

_LEAST_GAMMA, _MOST_GAMMA = 0.2, 5.0


def png_colour(path: Path) -> tuple[str, str]:
    """The space of the file's values, and what was assumed; empty where nothing was.

    An ICC profile is named by the reader of the header, which does not apply it.
    """
    chunks: dict[str, bytes] = {}
    for name, content in _chunks(path):
        chunks.setdefault(name, content)  # a second of a kind is void
    colour, note = _by_chunks(chunks)
    moving = "an animation: its first picture is taken" if "acTL" in chunks else ""
    return colour, ", ".join(filter(None, (note, moving)))


def _by_chunks(chunks: Mapping[str, bytes]) -> tuple[str, str]:
    if "cICP" in chunks and len(chunks["cICP"]) == 4:
        return _coded(*chunks["cICP"])
    gamma = chunks.get("gAMA", b"")
    if "iCCP" in chunks or "sRGB" in chunks:
        other = len(gamma) == 4 and _by_gamma(_hundred_thousandths(gamma)[0])[0] != _SRGB
        return _SRGB, "sRGB by its sRGB chunk or profile, though its gAMA differs" if other else ""
    if len(gamma) != 4:
        note = "cHRM" in chunks and _primaries(chunks["cHRM"]) != "rec709"
        return _SRGB, "its cHRM primaries are not applied, taken as sRGB" if note else ""
    return _by_gamma(_hundred_thousandths(gamma)[0], chunks.get("cHRM"))


def _hundred_thousandths(content: bytes) -> list[float]:
    return [value / 100_000 for (value,) in struct.iter_unpack(">I", content)]


def _coded(primaries: int, transfer: int, matrix: int, full: int) -> tuple[str, str]:
    """Code points of ITU-T H.273."""
    name = CODED_PRIMARIES.get(primaries)
    form = CODED_TRANSFERS.get(transfer)
    said = f"cICP {primaries}, {transfer}, {matrix}, {full}"
    if name is None or form is None or matrix != 0:
        return _SRGB, f"its {said} is not known, taken as sRGB"
    colour = form.format(name)
    ranged = "" if full else ", its values taken as full range though it says limited"
    return colour, f"{colour} by its {said}{ranged}"


def _by_gamma(encoding: float, primaries: bytes | None = None) -> tuple[str, str]:
    name = "rec709" if primaries is None else _primaries(primaries)
    more = "" if name else ", its cHRM primaries are not applied"
    name = name or "rec709"
    if abs(encoding - 1) < 0.01:
        return f"lin_{name}_scene", f"linear by its gAMA{more}"
    if abs(encoding - 1 / 2.2) < 0.005:
        return f"srgb_{name}_display", more.removeprefix(", ")
    gamma = 1 / max(encoding, 1e-6)
    if not _LEAST_GAMMA < gamma < _MOST_GAMMA:
        return _SRGB, f"its gAMA of {encoding:.5g} makes no sense, taken as sRGB"
    colour = f"g{round(10 * gamma):02d}_{name}_display"
    return colour, f"gamma {gamma:.2g} by its gAMA{more}"


def _primaries(chunk: bytes) -> str:
    """Which of the named primaries they are; empty for others."""
    if len(chunk) != 32:
        return "rec709"
    values = _hundred_thousandths(chunk)
    found = (*values[2:], *values[:2])  # white comes first in PNG, last in ours
    for name in ("rec709", *NAMED):
        known = NAMED.get(name, REC709)
        if all(abs(a - b) < 2e-3 for a, b in zip(found, known, strict=True)):
            return name
    return ""


def _chunks(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the chunks before the pixels; long ones empty."""
    with path.open("rb") as file:
        file.seek(8)
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
                return
            length = int.from_bytes(head[:4], "big")
            content = file.read(length) if length <= _LONGEST else b""
            file.seek(4 + (0 if content or not length else length), 1)
            yield head[4:].decode("latin-1"), content
