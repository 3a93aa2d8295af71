"""Raw alphas on disk, between the network and all that comes after it.

    DIR/raw/<shot>_raw.%04d.exr       the network's alpha, channel A, sealed like every alpha
    DIR/raw/<shot>_labels.%04d.png    the trimap that went in, and the one that came out

They are written like everything else, whole or not at all, so that an interrupted run goes on from
them, and so does one whose clean-up or channels are others: the network is not asked again. Where
all of a shot's together are large they are removed once no frame needs them any more, unless they
are to be kept. They may be removed by hand at any time.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plugin.errors import FrameError
from plugin.exr.alpha_file import AlphaFormat, prove_alpha, write_alpha
from plugin.exr.decode import Bits
from plugin.framerange import FrameRange
from plugin.image.halves import as_halves
from plugin.result.grey_png import read_grey, write_grey
from plugin.result.layout import OutputLayout
from plugin.stabilise.plan import StabilisePlan
from plugin.types import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    FloatArray,
    Frame,
    LabelArray,
    PlateInfo,
    Stored,
    Window,
)

MOST_KEPT = 500_000_000
"""Bytes of all raw alphas of a shot up to which they stay: some 2 000 frames of a 1080p plate."""

_SURE = "confidence"
_CLASSES = np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """What the network made of a frame.

    Attributes:
        alpha: `h × w` of the frame's own data window, exactly as it is stored: float16 or float32.
        adapted: `h × w` uint8 of the same, T̂.
        trimap: `H × W` uint8 of the plate's data window, what went in.
        figures: what is known of its mask, for `FrameResult.statistics`.
        confidence: of the network in the adapted trimap, `h × w`, 0 to 1; where it is asked for.
    """

    alpha: Stored
    adapted: LabelArray
    trimap: LabelArray
    figures: Mapping[str, float] = field(default_factory=dict)
    confidence: FloatArray | None = None


class RawFiles:
    """Reads and writes them for one shot."""

    def __init__(self, layout: OutputLayout, info: PlateInfo, bits: Bits) -> None:
        self._layout, self._info, self._bits = layout, info, bits

    def as_stored(self, alpha: FloatArray) -> Stored:
        """The alpha with the bits that a file keeps: computed or read, it is the same."""
        return alpha if self._bits == "float" else as_halves(alpha)

    def write(self, frame: Frame, raw: Raw, recipe: str) -> None:
        """Labels first: where the alpha is, they are.

        Raises:
            FrameError: the alpha cannot be a matte.
            OutputError: the disk refuses.
        """
        layout, own = self._layout, frame.data_window or self._info.data_window
        whole = np.full_like(raw.trimap, BACKGROUND)
        whole[self._info.data_window.area_of(own)] = raw.adapted
        labels = (_index(raw.trimap) * 3 + _index(whole)).astype(np.uint8)
        write_grey(layout.labels(frame.number), labels, root=layout.out)
        write_alpha(
            layout.raw(frame.number),
            raw.alpha,
            info=self._info.model_copy(update={"data_window": own}),
            frame=Frame(frame.number, frame.rgb),
            provenance={
                "recipe": recipe,
                "labels": _sum(labels),
                "figures": json.dumps(dict(raw.figures)),
            },
            form=AlphaFormat("a", self._bits, "zip"),
            layers=None if raw.confidence is None else {_SURE: raw.confidence},
            root=layout.out,
        )

    def read(self, number: int, recipe: str) -> tuple[Raw, Window] | None:
        """A raw alpha that is there, whole and of this recipe, with its data window; or None."""
        layout = self._layout
        try:
            found = prove_alpha(layout.raw(number), _SURE)
            if found.provenance.get("recipe") != recipe:
                return None
            labels = read_grey(layout.labels(number))
        except FrameError:
            return None
        window = self._info.data_window
        if _sum(labels) != found.provenance.get("labels") or labels.max() > 8:
            return None
        if labels.shape != (window.height, window.width):
            return None
        area = window.area_of(found.data_window)
        trimap, adapted = _CLASSES[labels // 3], _CLASSES[labels % 3][area]
        figures = _figures(found.provenance.get("figures", ""))
        alpha, adapted = self.as_stored(found.alpha), np.ascontiguousarray(adapted)
        return Raw(alpha, adapted, trimap, figures, found.layer), found.data_window


def drop_raws(
    layout: OutputLayout,
    plan: StabilisePlan | None,
    promised: FrameRange,
    most: int = MOST_KEPT,
) -> int:
    """Where all of a shot's are large, remove the raw alphas that no frame waits for.

    Other tasks may be at work on the same folder. One that finds a raw alpha gone that it wanted
    computes it again.

    Args:
        layout: where they are.
        plan: which frames look at which; None where each looks at its own.
        promised: the frames that were asked for; others are not waited for.
        most: bytes of all together up to which they stay.

    Returns:
        How many frames' were removed.
    """
    numbers = layout.pattern("raw").scan()
    if sum(_size(path) for n in numbers for path in (layout.raw(n), layout.labels(n))) <= most:
        return 0
    awaited = promised.without(layout.pattern("alpha").scan())
    dropped = 0
    for number in numbers:
        around = [] if plan is None else plan.around(number)
        if not any(one in awaited for one in (number, *around)):
            for path in (layout.raw(number), layout.labels(number)):
                _remove(path)
            dropped += 1
    with suppress(OSError):  # something is left in it, or another task was first
        (layout.out / "raw").rmdir()
    return dropped


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _figures(text: str) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _index(labels: LabelArray) -> LabelArray:
    return np.asarray((labels > BACKGROUND).astype(np.uint8) + (labels > UNKNOWN), np.uint8)


def _sum(labels: LabelArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(labels).data).hexdigest()
