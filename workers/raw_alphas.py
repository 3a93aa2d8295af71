"""`RawAlphas`: from a plate's frame to its raw alpha. Knows nothing of Ray.

plate ─► mask ─► trimap ─► network ─► raw alpha, on disk where others will look at it
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np

from plugin.colour.config_files import config_digest
from plugin.colour.display import display_transform
from plugin.disk.inputs import Ledger, ledger
from plugin.driver.plan import Plan
from plugin.errors import FrameError, SurroundingsError
from plugin.exr.alpha_file import Layers
from plugin.framerange import FrameRange
from plugin.plates import plate_of
from plugin.report.figures import mask_figures
from plugin.result.grey_png import kept_recipe, write_grey
from plugin.result.layout import OutputLayout
from plugin.result.raw_files import Raw, RawFiles
from plugin.segmentation import build
from plugin.trimap.override import Override, load
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import (
    BACKGROUND,
    UNKNOWN,
    FloatArray,
    Frame,
    LabelArray,
    Mask,
    Matter,
    PlateInfo,
    PlateSource,
    Segmenter,
)
from workers.neighbours import LARGE, Area, Inputs, Matted, Once, Source, raw_frame
from workers.overlap import BESIDE
from workers.shared_matter import Confident, SharedMatter
from workers.stage_clock import Stages, Turns

_PICTURES = ("mask", "trimap", "adapted")


class RawAlphas:
    """What a worker holds of plate, segmenter and network. May be used from two threads at once.

    Args:
        plan: the job.
        make_matter: makes the network; by default `SharedMatter`, loaded when first needed.

    Raises:
        AdaMatteError: the plate is gone or is not the one that was probed.
    """

    def __init__(self, plan: Plan, make_matter: Callable[[Plan], Matter] | None = None) -> None:
        self.plan = plan
        shot = plan.shot
        self.layout = OutputLayout.of(shot)
        self.plate: PlateSource = plate_of(
            shot, known=plan.plate, canvas=plan.canvas, one_colour=plan.colour.by_tags
        )
        info = self.plate.info
        if config_digest(plan.colour.config) != plan.colour.sha256:
            what, fix = "the OCIO configuration has changed meanwhile", "run the same command again"
            raise SurroundingsError(what, where=plan.colour.config, fix=fix)
        if plan.colour.by_tags and info.colour != plan.colour.space:
            what, fix = "the first frame's colour space has changed", "run the same command again"
            raise SurroundingsError(what, where=shot.plate, fix=fix)
        self.to_display = display_transform(info, plan.colour)
        corrections = _corrections(plan, info)
        self.trimaps = TrimapSource(plan.trimap or TrimapPlan(kind="band"), info, corrections)
        self.segmenter: Segmenter | None = build(plan.segment, info) if plan.segment else None
        self.matter = (make_matter or SharedMatter)(plan)
        radius = plan.stabilise.radius if plan.stabilise else 0
        self.raws = RawFiles(self.layout, info, plan.raw_bits)
        self.large = info.width * info.height > LARGE
        self.turns = Turns(large=self.large and radius > 0)
        self._known: Once[Inputs | None] = Once(4 * radius + BESIDE)

    def read(self, number: int, stages: Stages) -> Source:
        """A frame of the plate, and as the network is to see it.

        Raises:
            FrameError: it cannot be decoded.
        """
        with stages("decode", self.turns.reading):
            frame = self.plate.read(number)
        with stages("colour"):
            rgb = self.to_display(frame.rgb)
        own = frame.data_window or self.plate.info.data_window
        seen = Frame(number, rgb, frame.timecode)
        return Source(frame, seen, self.plate.info.data_window.area_of(own))

    def fresh(self, number: int, stages: Stages) -> tuple[Source, Raw]:
        """A frame and its raw alpha from the network: none is read from disk, nothing written.

        Raises:
            FrameError: something cannot be read.
        """
        source = self.read(number, stages)
        return source, self._infer(number, source, stages)[0]

    def matte(self, number: int, stages: Stages) -> Matted:
        """A frame's own alpha: from the network, or from the disk if it was there before.

        Raises:
            FrameError: something cannot be read, or was another file when it was read again.
        """
        alone = not self.around(number)
        with nullcontext() if alone else self.turns.plate, ledger(keep=True) as read:
            source = self.read(number, stages)
            if self.large and not alone:
                source = source.without_plate()
            with stages("check", self.turns.reading):
                inputs = self.inputs(number, source.frame.digest, read)
            return self._matted(number, source, inputs, stages)

    def _matted(self, number: int, source: Source, inputs: Inputs, stages: Stages) -> Matted:
        alone = not self.around(number)
        raw: Raw | None = None
        if not self.plan.shot.force:
            with stages("check"):
                raw = self._raw_before(number, inputs)
        if raw is None:
            # The network and all that follows see what the frame's own data window holds.
            raw, mask, network = self._infer(number, source, stages)
            if network != inputs.network:  # a device ran out of memory: smaller tiles since then
                recipe = self.plan.raw_recipe(network, *inputs.digests)
                inputs = replace(inputs, network=network, recipe=recipe)
            with stages("encode"), self.turns.door:
                self._write_pictures(number, inputs, mask, raw, source.area)
                self.raws.write(source.frame, raw, inputs.recipe)
        if alone:
            return Matted(number, inputs, raw, source)
        whole = self.plate.info.data_window
        steady = raw_frame(number, raw, source, whole, source.frame.data_window or whole)
        return Matted(number, inputs, raw, None if self.large else source, steady)

    def _infer(self, number: int, source: Source, stages: Stages) -> tuple[Raw, Mask | None, str]:
        """A frame's raw alpha, its mask, and the digest of the network that made it."""
        seen = source.seen
        with stages("segment", self.turns.reading):
            mask = self.mask(seen)
        with stages("trimap", self.turns.reading):
            trimap = self.trimaps.trimap(number, mask, seen.rgb).labels
        labels = np.ascontiguousarray(trimap[source.area])
        image = np.ascontiguousarray(source.rgb[source.area])
        with stages("network", self.turns.network):
            adapted, alpha, sure = self._matte(image, labels)
            network = self.network
        figures = mask_figures(mask)
        raw = Raw(self.raws.as_stored(alpha), adapted, trimap, figures, sure)
        return raw, mask, network

    def _matte(
        self, image: FloatArray, labels: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray | None]:
        """The network's answer, and its confidence where that is asked for."""
        if "confidence" not in self.plan.shot.layers:
            return *self.matter(image, labels), None
        if isinstance(self.matter, Confident):
            return self.matter.with_confidence(image, labels)
        raise SurroundingsError(
            "this network does not say how sure it is", where="--layers", fix="leave it out"
        )

    @property
    def kind(self) -> str:
        """Of the device that the network runs on; empty where none does."""
        return str(getattr(self.matter, "kind", "")) if self.plan.goal == "alpha" else ""

    @property
    def network(self) -> str:
        """`Matter.digest` of the network that makes these frames; empty where none does."""
        return self.matter.digest if self.plan.goal == "alpha" else ""

    def around(self, number: int) -> list[int]:
        """The neighbours that stabilisation looks at; none where it is off."""
        return [] if self.plan.stabilise is None else self.plan.stabilise.around(number)

    def known(self, number: int) -> Inputs | None:
        """What a frame would be made from by now, no pixel decoded; call it in `turns.reading`.

        None for a frame that cannot be had: its neighbours go without it.
        """
        return self._known.get(number, self._look_up)

    def _look_up(self, number: int) -> Inputs | None:
        try:
            with ledger() as read:
                return self.inputs(number, self.plate.digest(number), read)
        except FrameError:
            return None

    def inputs(self, number: int, plate: str, read: Ledger) -> Inputs:
        """What a frame is made from; call it in `turns.reading`.

        Args:
            number: the frame.
            plate: digest of its plate.
            read: the ledger that is open.
        """
        masked = self.segmenter.digest(number) if self.segmenter is not None else ""
        trimapped = self.trimaps.digest(number) if self.plan.goal != "mask" else ""
        digests, network = (plate, masked, trimapped), self.network
        return Inputs(digests, self.plan.raw_recipe(network, *digests), read, network)

    def pictures(self, inputs: Inputs) -> dict[str, str]:
        """The recipes of the pictures that may be kept of a frame, by kind.

        Of all kinds: one that an earlier run left beside the alpha may be of other settings.
        """
        kinds = {"mask": _PICTURES[:1], "trimap": _PICTURES[:2]}.get(self.plan.goal, _PICTURES)
        recipe = partial(self.plan.picture_recipe, network=inputs.network)
        return {kind: recipe(kind, *inputs.digests) for kind in kinds}

    def _raw_before(self, number: int, inputs: Inputs) -> Raw | None:
        if not self.pictures_there(number, inputs):
            return None
        found = self.raws.read(number, inputs.recipe)
        return None if found is None else found[0]

    def raw_there(self, number: int, inputs: Inputs) -> bool:
        """Whether the raw alpha is there, where it is to be kept."""
        if "raw" not in self.plan.shot.keep:
            return True
        return self.raws.read(number, inputs.recipe) is not None

    def pictures_there(self, number: int, inputs: Inputs) -> bool:
        """Whether the pictures to be kept of a frame are there, whole and of their recipes."""
        recipes = self.pictures(inputs)
        wanted = {kind: recipes[kind] for kind in self.plan.shot.keep - {"raw"}}
        paths = {kind: self.layout.pattern(kind).path(number) for kind in wanted}
        return all(kept_recipe(paths[kind]) == recipe for kind, recipe in wanted.items())

    def mask(self, seen: Frame) -> Mask | None:
        """The mask of a frame, where one is needed; call it in `turns.reading`."""
        if self.segmenter is None or not (self.trimaps.needs_mask or self.plan.goal == "mask"):
            return None
        return self.segmenter.segment(seen)

    def layers(self, raw: Raw, area: Area) -> Layers:
        """The layers that are asked for beside a frame's alpha."""
        held: dict[str, Callable[[], FloatArray | None]] = {
            "trimap": lambda: as_layer(raw.trimap[area]),
            "adapted": lambda: as_layer(raw.adapted),
            "confidence": lambda: raw.confidence,
        }
        wanted = sorted(self.plan.shot.layers)
        return {name: plane for name in wanted if (plane := held[name]()) is not None}

    def _write_pictures(
        self, number: int, inputs: Inputs, mask: Mask | None, raw: Raw, area: Area
    ) -> None:
        """Pictures come before the alpha: where it is, they are. All have the plate's window."""
        keep = self.plan.shot.keep
        if "mask" in keep and mask is not None:
            self.keep("mask", number, as_grey(mask), inputs)
        if "trimap" in keep:
            self.keep("trimap", number, raw.trimap, inputs)
        if "adapted" in keep:
            adapted = np.full_like(raw.trimap, BACKGROUND)
            adapted[area] = raw.adapted
            self.keep("adapted", number, adapted, inputs)

    def keep(self, kind: str, number: int, pixels: LabelArray, inputs: Inputs) -> None:
        """Write a picture beside the alpha, with its recipe."""
        path = self.layout.pattern(kind).path(number)
        write_grey(path, pixels, root=self.layout.out, recipe=self.pictures(inputs)[kind])


def _corrections(plan: Plan, info: PlateInfo) -> Override | None:
    """The shot's override file, as it was when the driver read it.

    Raises:
        OverrideError: it has changed since.
    """
    if plan.shot.override is None:
        return None
    return load(plan.shot.override, info, asked=FrameRange(()), sha256=plan.override)


def as_layer(labels: LabelArray) -> FloatArray:
    """A trimap as 0, 0.5 and 1."""
    values = np.array([0, 0.5, 1], np.float32)
    return values[(labels > BACKGROUND).astype(np.uint8) + (labels > UNKNOWN)]


def as_grey(mask: Mask) -> LabelArray:
    """A mask in 8 bits."""
    grey: LabelArray = np.round(mask.coverage * 255).astype(np.uint8)
    return grey
