"""Names of colour spaces by the code points of ITU-T H.273, as videos and PNG have them."""

TRANSFERS = {
    8: "lin_{}_scene",
    13: "srgb_{}_display",
    16: "pq_{}_display",
    18: "hlg_{}_display",
}
"""Transfer characteristics of H.273, table 3, that are not the display gamma of video."""

OTHER_PRIMARIES = {9: "rec2020", 11: "p3d65", 12: "p3d65"}
"""Colour primaries of H.273, table 2; the others are within a hair of BT.709's."""

VIDEO = "g24_{}_display"

CODED_PRIMARIES = {1: "rec709", 5: "rec709", 6: "rec709", **OTHER_PRIMARIES}
"""Primaries by their code point, for files that name them outright."""

CODED_TRANSFERS = {
    **dict.fromkeys((1, 6, 14, 15), VIDEO),
    4: "g22_{}_display",
    5: "g28_{}_display",
    **TRANSFERS,
}
"""Names of spaces by their transfer's code point, to be completed by the primaries."""
