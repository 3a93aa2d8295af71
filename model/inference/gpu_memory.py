"""What the network takes of a GPU's memory, as it was measured, and what is decided by it.

Nothing here asks what is free at the moment: what a frame is cut into changes its last bits.
"""

from model.config import AdaMattingConfig
from model.inference.frame import MARGIN
from model.rectangles.regions import CELL

_PEAKS = {
    (False, "fp32"): 488,
    (False, "bf16"): 360,
    (True, "fp32"): 968,
    (True, "bf16"): 712,
}
"""Bytes a pixel at the peak, in the propagation unit; by bottleneck blocks and precision."""

_PLANES = 201
"""Bytes a pixel of the box that the colour planes are made in, a whole frame at most."""

_HELD = 120
"""Bytes a pixel of the frame while its windows are worked on: picture, trimap, planes, scores."""

_CONTEXT = 800 << 20
"""A process's context on the card, its libraries' code and workspaces, the largest weights."""

_TILES = (2048, 1024, 512, 256)
_SHARE = 0.5
"""Of a card, that the largest network may take for one tile."""


def tile_for(total: int) -> int:
    """The longest side of what goes through a network at once, for cards of a size.

    The same for every network and precision, so that it can be told without them.

    Args:
        total: bytes of the whole card.
    """
    most = max(_PEAKS.values())
    fitting = (tile for tile in _TILES if _CONTEXT + most * _seen(tile) <= _SHARE * total)
    return next(fitting, _TILES[-1])


def card_bytes(config: AdaMattingConfig, precision: str, pixels: int, tile: int | None) -> int:
    """The most that one worker has of a card, estimated.

    Args:
        config: of its network.
        precision: `fp32`, `bf16` or `fp16`.
        pixels: of a frame.
        tile: longest side without its margin, pixels; None is the whole frame.
    """
    peak = _PEAKS[config.bottleneck, "fp32" if precision == "fp32" else "bf16"]
    seen = pixels if tile is None else min(pixels, _seen(tile))
    planes = _PLANES * pixels if config.colour_planes else 0
    return _CONTEXT + max(peak * seen + _HELD * pixels, planes)


def _seen(tile: int) -> int:
    """Pixels of a tile with its margin, out to the grid."""
    return (tile + 2 * MARGIN + CELL) ** 2
