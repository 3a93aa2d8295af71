"""Where chroma samples lie among those of luma, as the picture's own headers say.

PyAV does not give what FFmpeg reads of it, but FFmpeg's filter `trace_headers` spells out every
field of the headers of H.264, HEVC and AV1 into the log.
"""

import re
from pathlib import Path

import av
import av.logging
from av.bitstream import BitStreamFilterContext

from plugin.plates.video.file import open_container, read_errors

_Site = tuple[float, float]
"""How far the first sample lies right of and below the first of luma, in pixels of luma."""

LEFT, _MIDDLE = (0.0, 0.5), (0.5, 0.5)

_SITES: dict[int, tuple[str, _Site]] = {
    0: ("left", LEFT),
    1: ("in the middle", _MIDDLE),
    2: ("at the top left", (0.0, 0.0)),
    3: ("at the top", (0.5, 0.0)),
    4: ("at the bottom left", (0.0, 1.0)),
    5: ("at the bottom", (0.5, 1.0)),
}
"""`chroma_sample_loc_type` of H.264, annex E, and HEVC, annex E."""

_OF_AV1 = {1: 0, 2: 2}
"""`chroma_sample_position` of AV1 (6.4.2), as one of them."""

_TRACED = frozenset({"h264", "hevc", "av1"})
_FIELD = re.compile(r"(chroma_sample_loc_type_top_field|chroma_sample_position)\s.*=\s*(\d+)\s*$")


def chroma_site(path: Path, reader: str, codec: str, *, full: bool) -> tuple[_Site, str]:
    """Where the samples lie, and a note where the headers say another place than the left.

    Where nothing is said it is the left for H.264 and HEVC, as their standards have it, and for
    other video but the full-range kind, which comes from JPEG.

    Raises:
        PlateError: the file cannot be opened any more.
    """
    if codec not in _TRACED:
        return (_MIDDLE if full else LEFT), ""
    kind = _traced(path, reader)
    if codec == "av1" and kind is not None:
        kind = _OF_AV1.get(kind, 0)
    name, site = _SITES.get(kind or 0, _SITES[0])
    return site, f"chroma samples {name}, by its header" if kind else ""


def _traced(path: Path, reader: str) -> int | None:
    container, stream = open_container(path, reader)
    before = av.logging.get_level()
    with container, read_errors(path, reader):
        packet = next(container.demux(stream), None)
        if packet is None:
            return None
        try:
            av.logging.set_level(av.logging.INFO)
            with av.logging.Capture() as lines:
                BitStreamFilterContext("trace_headers", stream).filter(packet)
        except (av.FFmpegError, ValueError):
            return None
        finally:
            av.logging.set_level(before)
    found = (_FIELD.search(text) for _, _, text in lines)
    return next((int(match[2]) for match in found if match is not None), None)
