"""`mask`: masks from another tool, paired with the plate by frame number.

A pattern of pictures (PNG, TIFF, EXR, DPX, JPEG, Targa and more; 8 or 16 bit, half or float), one
picture for a plate of one frame, or a video, which starts at the plate's first frame. Which channel
counts and which value is one is found from their names and from some of them, and said. Soft masks
stay soft. A frame without a mask of its own holds that of the nearest earlier frame that has one.
"""

from plugin.errors import MaskError
from plugin.segmentation.masks.files import MaskReader, MaskSettings
from plugin.segmentation.masks.pairing import Paired, asked_of, pair_masks
from plugin.segmentation.plans import Method, Request, SegmentPlan, asked_frames
from plugin.types import PlateInfo, Segmenter


def _prepare(request: Request) -> SegmentPlan:
    shot, info = request.shot, request.plate.info
    if shot.mask is None:
        raise MaskError("no masks given", where="--segment mask", fix="name them with --mask")
    found = pair_masks(shot.mask, shot, info, asked=asked_of(shot), layer=shot.mask_layer)
    keys = found.settings.keys
    warnings = [*found.notes, *_without_subject(found)]
    if found.framed:
        warnings.append("white all around the frame: if black is the subject, --mask-invert")
    held = asked_frames(shot, info).without(keys)
    if held:
        warnings.append(
            f"no mask of their own, the nearest earlier one is held: frames {held.brief}"
        )
    return SegmentPlan(
        method="mask",
        settings=found.settings,
        reason=f"mask: {found.how}, paired by frame number, {found.values}",
        warnings=tuple(warnings),
    )


def _without_subject(found: Paired) -> list[str]:
    """The frames of which nothing or all is left, by number.

    Raises:
        MaskError: that is so in every frame.
    """
    for frames, what in ((found.empty, "no subject"), (found.solid, "only subject")):
        if frames == found.settings.keys:
            raise MaskError(
                f"the masks leave {what} in any frame",
                where=found.settings.path,
                fix="check their channel and values: --mask-layer, --mask-range, --mask-invert",
            )
    return [
        f"the masks leave {what} in frames {frames.brief}"
        for frames, what in ((found.empty, "no subject"), (found.solid, "only subject"))
        if frames
    ]


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return MaskReader(plan.of(MaskSettings), info)


MASK = Method(_prepare, _build, needs="--mask PATTERN: masks from another tool")
