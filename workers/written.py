"""`Writer`: a frame's alpha, its small pictures for the report, and the overlay of its trimap."""

from contextlib import suppress

from plugin.colour.display import interop_id
from plugin.errors import OutputError
from plugin.exr.alpha_file import AlphaFormat, Colours, Layers, write_alpha
from plugin.finish import Finished
from plugin.report.sprites import SpriteForm, straight, tiles_of, write_sprite
from plugin.trimap.overlay import overlay, write_overlay
from plugin.types import Frame, LabelArray, Trimap
from workers.neighbours import Source
from workers.raw_alphas import RawAlphas


class Writer:
    """Writes what becomes of a frame.

    Args:
        raw_alphas: the worker's plan, layout and plate.
    """

    def __init__(self, raw_alphas: RawAlphas) -> None:
        self.raw_alphas, self.plan, self.layout = raw_alphas, raw_alphas.plan, raw_alphas.layout
        self.plate = raw_alphas.plate

    def overlay(self, seen: Frame, plain: Trimap, trimap: Trimap) -> None:
        """The picture that an artist checks a trimap by."""
        picture = overlay(seen.rgb, plain, trimap, self.raw_alphas.trimaps.rules(seen.number))
        write_overlay(self.layout.pattern("overlay").path(seen.number), picture, self.layout.out)

    def alpha(self, frame: Frame, recipe: str, finished: Finished, layers: Layers) -> str:
        """Write the frame's alpha, and the layers beside it; the digest of its pixels."""
        info, colour = self.plate.info, self.plan.colour
        own = frame.data_window or info.data_window
        aspect = info.pixel_aspect if frame.pixel_aspect is None else frame.pixel_aspect
        colours = None
        if finished.foreground is not None:
            colours = Colours(
                finished.foreground,
                colour.space,
                interop_id(colour),
                tagged=not self.plan.shot.in_colour,
            )
        return write_alpha(
            self.layout.alpha(frame.number),
            finished.alpha,
            info=info.model_copy(update={"data_window": own, "pixel_aspect": aspect}),
            frame=frame,
            provenance={
                "version": self.plan.version,
                "model": self.plan.shot.model,
                "weights": self.plan.weights,
                "override": self.plan.override,
                "recipe": recipe,
            },
            form=AlphaFormat.of(self.plan.shot),
            colours=colours,
            layers=layers,
            root=self.layout.out,
        )

    def sprite(
        self,
        source: Source,
        labels: LabelArray,
        adapted: LabelArray,
        finished: Finished,
        digest: str,
    ) -> None:
        """The small pictures of the frame for the report; without them it is no worse a matte."""
        alpha, fg = finished.alpha, finished.foreground
        colours = None if fg is None else straight(fg, alpha, self.raw_alphas.to_display)
        form = SpriteForm.of(len(self.plate.info.frames))
        tiles = tiles_of(
            source.rgb,
            alpha,
            form.side,
            source.area,
            trimap=labels,
            adapted=adapted,
            colours=colours,
        )
        with suppress(OutputError):  # a disk that is full says so at the next alpha
            write_sprite(self.layout.out, source.frame.number, digest, tiles, form)
