"""What an alpha EXR is: `AlphaFormat`, how one is stored, and `AlphaFile`, one that was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import OpenEXR  # type: ignore[import-not-found]

from plugin.exr.channels import Channels
from plugin.exr.decode import Bits
from plugin.exr.header import OURS
from plugin.types import FloatArray, Window

if TYPE_CHECKING:
    from plugin.request.shot import Shot

Compression = Literal["none", "zip", "zips", "piz", "dwaa", "dwab"]

COMPRESSIONS = {
    "none": OpenEXR.NO_COMPRESSION,
    "zip": OpenEXR.ZIP_COMPRESSION,
    "zips": OpenEXR.ZIPS_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
    "dwab": OpenEXR.DWAB_COMPRESSION,
}
LOSSY = frozenset({"dwaa", "dwab"})
"""In every channel but A."""


@dataclass(frozen=True, slots=True)
class AlphaFormat:
    """How an alpha is stored; the default is the contract's.

    Attributes:
        channels: `rgba` writes R=G=B=A=alpha, `a` the channel A alone, `fg` the premultiplied
            foreground with alpha in A.
        bits: of each channel.
        compression: `zips` is what row by row readers like. All are lossless but `dwaa` and
            `dwab`, which are for the colours of `fg` alone and keep A exact.
    """

    channels: Channels = "rgba"
    bits: Bits = "half"
    compression: Compression = "zips"

    @classmethod
    def of(cls, shot: Shot) -> AlphaFormat:
        """As the shot asks."""
        return cls(shot.channels, shot.bits, shot.compression)


@dataclass(frozen=True, slots=True, eq=False)
class AlphaFile:
    """An alpha EXR, decoded in full.

    Attributes:
        alpha: `H × W` float32, finite, within [0, 1]: exactly the stored values.
        bits: as which they are stored.
        channels: the names of all channels in the file.
        compression: as OpenEXR names it: `ZIPS_COMPRESSION`, ….
        data_window: the pixels that are stored.
        display_window: the picture's frame.
        pixel_aspect: width of a pixel over its height.
        attributes: the whole header by attribute name.
        sealed: every byte of the file was proved to be as it was written.
        foreground: `H × W × 3` float32, multiplied by alpha, where the file holds one.
        layer: `H × W` float32, the layer that was asked for, where the file has it.
    """

    alpha: FloatArray
    bits: Bits
    channels: tuple[str, ...]
    compression: str
    data_window: Window
    display_window: Window
    pixel_aspect: float
    attributes: Mapping[str, Any]
    sealed: bool
    foreground: FloatArray | None = None
    layer: FloatArray | None = None

    @property
    def provenance(self) -> dict[str, str]:
        """The `adamatte/` attributes by their key."""
        names = (name for name in self.attributes if name.startswith(OURS))
        return {name.removeprefix(OURS): str(self.attributes[name]) for name in names}
