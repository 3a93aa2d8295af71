"""`Finisher`: from the network's alpha to what is stored, one frame at a time.

despeckle → holdout → (foreground colours by this alpha) → choke → soften → garbage

Foreground colours are estimated with the alpha that mixed the plate: what is choked or softened
after is taste, not light.
"""

from dataclasses import dataclass

import numpy as np

from plugin.errors import FrameError
from plugin.finish.clean_up import choke, despeckle, soften
from plugin.finish.despill import despill
from plugin.finish.foreground import estimate_foreground, premultiply
from plugin.finish.plan import FinishPlan
from plugin.segmentation.masks.files import MaskReader, MaskSettings
from plugin.types import FloatArray, Frame, PlateInfo

_FULL_HD = 1080


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """What is stored of a frame.

    Attributes:
        alpha: `H × W` float32, finite, within [0, 1].
        foreground: `H × W × 3` float32, premultiplied, in the plate's own space; None where it is
            not asked for.
    """

    alpha: FloatArray
    foreground: FloatArray | None = None


class Finisher:
    """Holds what a worker keeps between frames. The result depends on the frame alone."""

    def __init__(self, plan: FinishPlan, info: PlateInfo) -> None:
        self._plan = plan
        self._height = info.display_window.height
        self._holdout = _reader(plan.holdout, info)
        self._garbage = _reader(plan.garbage, info)

    def digest(self, number: int) -> str:
        """sha256 of the settings and of this frame's mattes; empty where nothing is to be done.

        Raises:
            FrameError: a matte's file is missing by now.
        """
        readers = (self._holdout, self._garbage)
        return self._plan.digest(*("" if r is None else r.digest(number) for r in readers))

    def finish(
        self, number: int, rgb: FloatArray, alpha: FloatArray, area: tuple[slice, slice]
    ) -> Finished:
        """Clean up, and find the colours if they are asked for.

        Args:
            number: the frame's.
            rgb: `H × W × 3` float32, the plate in its own space.
            alpha: `H × W` float32 within [0, 1], as the network gives it.
            area: rows and columns of the plate's data window that the frame has.

        Raises:
            FrameError: a matte is missing, damaged or of another size by now.
        """
        plan, unit = self._plan, self._height / _FULL_HD
        if plan.despeckle:
            alpha = despeckle(alpha, plan.despeckle * unit * unit)
        if self._holdout is not None:
            alpha = np.maximum(alpha, _matte(self._holdout, number, rgb, area))
        mixed = alpha
        alpha = soften(choke(alpha, plan.choke * unit), plan.soften * unit)
        if self._garbage is not None:
            alpha = alpha * (1 - _matte(self._garbage, number, rgb, area))
        if not plan.foreground:
            return Finished(alpha)
        colours = estimate_foreground(rgb, mixed, alpha > 0)
        if plan.despill is not None:
            colours = despill(colours, mixed, plan.despill, self._height)
        return Finished(alpha, premultiply(colours, alpha))


def _reader(settings: MaskSettings | None, info: PlateInfo) -> MaskReader | None:
    return None if settings is None else MaskReader(settings, info)


def _matte(
    reader: MaskReader, number: int, rgb: FloatArray, area: tuple[slice, slice]
) -> FloatArray:
    matte = reader.segment(Frame(number, rgb)).coverage[area]
    if matte.shape != rgb.shape[:2]:
        what = f"a matte of {matte.shape[1]} × {matte.shape[0]} pixels"
        raise FrameError(what, where=f"frame {number}", fix="render it at the size of the plate")
    return matte
