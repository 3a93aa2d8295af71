"""`Colours`: a foreground on its way into a file."""

from dataclasses import dataclass

from plugin.types import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """The foreground that goes with an alpha.

    Attributes:
        rgb: `H × W × 3` float32, multiplied by alpha, finite.
        space: name of the colour space that its values are in: the plate's.
        interop_id: that space's name in the Color Interop Forum's list; empty where it has none.
        tagged: the space is what the plate's own tags say, so they hold for it.
    """

    rgb: FloatArray
    space: str = ""
    interop_id: str = ""
    tagged: bool = False
