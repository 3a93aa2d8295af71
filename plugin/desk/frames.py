"""`Frames`: a shot's frames as a run would make them, one at a time and at once.

plate ─► mask ─► trimap ─► network ─► finish: the run's own parts in the run's own order, so that
what is seen is what `adamatte run` writes, to the bit where stabilisation is off.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from plugin.desk.corrections import Corrections
from plugin.desk.held import Band, Look, Matte, Trimaps
from plugin.desk.kept import Kept
from plugin.driver.plan import Plan
from plugin.errors import FrameError
from plugin.exr.alpha_file import read_alpha
from plugin.exr.channels import stored_channels
from plugin.finish import Finisher
from plugin.image.channels import as_bytes
from plugin.report.sprites import straight
from plugin.result.layout import OutputLayout
from plugin.trimap.override import Override
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import BACKGROUND, FloatArray, LabelArray, Mask, PlateInfo, Trimap

if TYPE_CHECKING:
    from plugin.types import Matter

_LOOKS, _TRIMAPS, _MATTES = 384 << 20, 96 << 20, 128 << 20
"""Bytes that are kept: 2 frames of a 4K plate, 8 of an HD one, with what was made of them."""


class Frames:
    """Holds a shot's plate, masks and network. May be used from any thread.

    Args:
        plan: the job, without an override.
        corrections: the override file.
        turn: called between two parts of a matte; what it raises ends it.
        make_matter: another network than the plan's, as tests of everything else want.
        tag: begins the names of pictures, so that none is taken for one of an earlier plan.
    """

    def __init__(
        self,
        plan: Plan,
        corrections: Corrections,
        turn: Callable[[], None] = lambda: None,
        make_matter: Callable[[Plan], Matter] | None = None,
        tag: str = "",
    ) -> None:
        from workers.raw_alphas import RawAlphas
        from workers.shared_matter import SharedMatter

        self.plan, self._corrections, self.tag = plan, corrections, tag
        self._turn, self._given = turn, make_matter
        self._raw = RawAlphas(plan, make_matter or (lambda plan: SharedMatter(plan, turn)))
        self.info: PlateInfo = self._raw.plate.info
        self._finisher = Finisher(plan.finish, self.info)
        self._layout = OutputLayout.of(plan.shot)
        self._reading = threading.Lock()
        self._looks: Kept[int, Look] = Kept(_LOOKS)
        self._trimaps: Kept[tuple[int, str], Trimaps] = Kept(_TRIMAPS)
        self._mattes: Kept[tuple[int, str], Matte] = Kept(_MATTES)
        self._newest: tuple[int, Trimaps | None] = 0, None

    def again(self, plan: Plan, tag: str, *, same_plate: bool) -> Frames:
        """The frames of another plan of the shot, with the same network unless it was tuned anew.

        Args:
            plan: the job.
            tag: not used before.
            same_plate: the plate is what it was: its frames are not decoded anew.

        Raises:
            AdaMatteError: the plate is gone, or is not the one that was probed.
        """
        make, matter = self._given, self._raw.matter
        if plan.weights == self.plan.weights:
            make = lambda _: matter  # noqa: E731
        made = Frames(plan, self._corrections, self._turn, make, tag)
        made._given = self._given
        if same_plate:
            made._looks = self._looks
        return made

    def close(self) -> None:
        """Give back the plate's files."""
        with self._reading:
            self._raw.plate.close()

    def warm(self) -> None:
        """Load the network before the first frame needs it; in the thread that will use it."""
        small = np.zeros((64, 64, 3), np.float32)
        self._raw.matter(small, np.full((64, 64), 128, np.uint8))

    def key(self, number: int) -> str:
        """What names the corrections of a frame: 0 for none.

        Raises:
            FrameError: a painted picture is missing.
        """
        return self.tag + key_of(self._corrections.override, number)

    def look(self, number: int) -> Look:
        """The plate's frame.

        Raises:
            FrameError: it cannot be decoded.
        """
        with self._reading:
            found = self._looks.get(number)
            return found if found is not None else self._look(number)

    def trimap(self, number: int) -> Trimaps:
        """The frame's trimap with its corrections.

        Raises:
            FrameError: it cannot be had.
        """
        override = self._corrections.override
        key = self.tag + key_of(override, number)
        found = self._trimaps.get((number, key))
        if found is None:
            plain = self._plain(self.look(number), override)
            found = self._corrected(key, plain, override)
            # With the picture of it, which is made when it is looked at.
            self._trimaps.put((number, key), found, 5 * found.labels.nbytes)
            self._newest = number, found
        return found

    def _corrected(self, key: str, plain: Trimap, override: Override | None) -> Trimaps:
        """Only the rules are applied that have been added since the frame was looked at last."""
        if override is None:
            return Trimaps(key, plain.labels, plain.labels)
        number, rules = plain.number, tuple(override.digests(plain.number))
        count = len(override.ids(number))
        last, before = self._newest
        fits = last == number and before is not None and before.plain is plain.labels
        if before is None or not fits or before.rules != rules[: len(before.rules)]:
            return Trimaps(key, plain.labels, override.apply(plain).labels, rules, count)
        labels = override.apply(Trimap(number, before.labels), before.count).labels
        # The last of which there is a picture: of others nothing is kept.
        seen = before.before if before.drawn is None else before
        return Trimaps(key, plain.labels, labels, rules, count, seen)

    def mask(self, number: int) -> FloatArray | None:
        """The frame's mask, `H × W` within [0, 1]; None where the plan needs none.

        Raises:
            FrameError: it cannot be had.
        """
        look = self.look(number)
        with self._reading:
            found = self._mask(look)
        return None if found is None else found.coverage

    def matted(self, number: int, key: str) -> Matte | None:
        """The frame's matte with these corrections, if it is kept."""
        return self._mattes.get((number, key))

    def matte(self, number: int) -> tuple[str, Matte]:
        """The frame's matte as a run would write it, but for stabilisation; and its key.

        Raises:
            FrameError: it cannot be had.
            Exception: whatever `turn` raises.
        """
        look, trimaps = self.look(number), self.trimap(number)
        found = self._mattes.get((number, trimaps.key))
        if found is None:
            found = self._infer(look, trimaps.labels)
            front = 0 if found.front is None else found.front.nbytes
            size = found.alpha.nbytes + trimaps.labels.nbytes + front
            self._mattes.put((number, trimaps.key), found, size)
        return trimaps.key, found

    def stored(self, number: int, digest: str) -> Matte | None:
        """What a run wrote; None where a later run's matte is there, of which nothing is told yet.

        Args:
            number: the frame.
            digest: of its pixels, as the manifest has it.

        Raises:
            FrameError: it cannot be read.
        """
        found = self._mattes.get((number, digest))
        if found is not None:
            return found
        file = read_alpha(self._layout.alpha(number))
        if file.provenance.get("digest") != digest:
            return None
        area = self.info.data_window.area_of(file.data_window)
        front = None
        if file.foreground is not None:
            front = self._front(file.foreground, file.alpha, area)
        found = Matte(None, self._laid(file.alpha, area), front)
        return self._mattes.put((number, digest), found, 2 * found.alpha.nbytes)

    def _look(self, number: int) -> Look:
        from workers.stage_clock import Stages

        if number not in self.info.frames:
            raise FrameError("no such frame", where=f"frame {number}", fix="take one of the shot")
        source = self._raw.read(number, Stages())
        look = Look(number, source, as_bytes(source.rgb))
        size = source.rgb.nbytes + source.frame.rgb.nbytes + 2 * look.seen.nbytes
        return self._looks.put(number, look, size)

    def _plain(self, look: Look, override: Override | None) -> Trimap:
        band: Band = (self.tag, None, None, None)
        if override is not None:
            band = (self.tag, *override.params(look.number), override.edge(look.number))
        with self._reading:
            found = look.plain.get(band)
            if found is None:
                plan = self.plan.trimap or TrimapPlan(kind="band")
                # With an override whose pictures and shapes are left out: they come after.
                bands = TrimapSource(plan, self.info, None if override is None else override.bands)
                found = bands.trimap(look.number, self._mask(look), look.source.rgb)
                look.plain = {band: found}
        return found

    def _mask(self, look: Look) -> Mask | None:
        with self._raw.turns.reading:
            return self._raw.mask(look.source.seen)

    def _infer(self, look: Look, labels: LabelArray) -> Matte:
        number, source = look.number, look.source
        area, own = source.area, np.ascontiguousarray(labels[source.area])
        adapted, alpha = self._raw.matter(np.ascontiguousarray(source.rgb[area]), own)
        raw = self._raw.raws.as_stored(alpha).astype(np.float32)
        finished = self._finisher.finish(number, source.frame.rgb[area], raw, area)
        front = None
        if finished.foreground is not None:
            front = self._front(finished.foreground, finished.alpha, area)
        kept = stored_channels(finished.alpha, None, "a", self.plan.shot.bits)["A"]
        whole = np.full_like(labels, BACKGROUND)
        whole[area] = adapted
        return Matte(whole, self._laid(kept.astype(np.float32), area), front)

    def _front(
        self, colours: FloatArray, alpha: FloatArray, area: tuple[slice, slice]
    ) -> LabelArray:
        return as_bytes(self._laid(straight(colours, alpha, self._raw.to_display), area))

    def _laid(self, part: FloatArray, area: tuple[slice, slice]) -> FloatArray:
        """On the plate's data window, where a frame's own is smaller."""
        size = self.info.height, self.info.width
        if part.shape[:2] == size:
            return part
        canvas = np.zeros((*size, *part.shape[2:]), np.float32)
        canvas[area] = part
        return canvas


def key_of(override: Override | None, number: int) -> str:
    """A short name of a frame's corrections."""
    digests = [] if override is None else override.digests(number)
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16] if digests else "0"
