"""Which mask goes with which frame, and how its values are meant: settled before the work."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugin.disk.inputs import Sum
from plugin.errors import AdaMatteError, FrameError, MaskError, told_as
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.plates import open_plate, plate_sum
from plugin.plates.companions.layers import MatteLayer, choose_matte
from plugin.plates.companions.looks import ALL, NOTHING, Look, look_at
from plugin.plates.companions.pictures import is_picture, read_header
from plugin.plates.companions.places import PictureHeader, place_note, refuse_misfit
from plugin.plates.companions.values import Asked, Reading, is_framed, span_of, understand
from plugin.request.shot import Shot, range_ends
from plugin.segmentation.masks.files import (
    MaskReader,
    MaskSettings,
    key_of,
    read_coverage,
    video_header,
)
from plugin.segmentation.plans import asked_frames
from plugin.types import PlateInfo

_SAMPLES = 7
"""Masks that are looked at beforehand, where there are too many to look at all."""

_LOOKED_AT = 48 << 20
"""Pixels of masks that are looked at beforehand without a second thought."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Masks that were found.

    Attributes:
        settings: what a `MaskReader` reads them by.
        how: which files, in a few words.
        values: which channel and values, in a few words.
        notes: what a person should know.
        empty: keys that were looked at and leave no subject.
        solid: keys that were looked at and leave only subject.
        looked: all that were looked at.
        framed: each of them is subject all around the frame, and not within.
    """

    settings: MaskSettings
    how: str
    values: str
    notes: tuple[str, ...]
    empty: FrameRange
    solid: FrameRange
    looked: FrameRange
    framed: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """Files, by the frames that have one, and what their headers say."""

    keys: FrameRange
    headers: dict[int, PictureHeader]
    start: int
    video: Sum | None = None
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> PictureHeader:
        return self.headers[min(self.headers)]


def asked_of(shot: Shot) -> Asked:
    """What the options say of the values of masks."""
    if shot.mask_range is None:
        return Asked(invert=shot.mask_invert)
    return Asked(*range_ends(shot.mask_range), invert=shot.mask_invert)


@told_as(MaskError)
def pair_masks(
    masks: str, shot: Shot, info: PlateInfo, *, asked: Asked | None = None, layer: str = ""
) -> Paired:
    """Find masks and what their values mean; the header of each that is asked for is looked at.

    Args:
        masks: a pattern, a picture or a video.
        shot: the frames asked for, and a video's first.
        info: the plate.
        asked: what the user says of their values; None where no option says it.
        layer: the layer or channel that the user names.

    Raises:
        MaskError: none for the first frame asked for, of another size, damaged, or of more than one
            sensible reading.
    """
    path = str(Path(masks).absolute())
    if asked is None:
        with _without_options():
            return pair_masks(masks, shot, info, asked=Asked(), layer=layer)
    found = _find(path, shot, info)
    _refuse_unpaired(path, found.keys, asked_frames(shot, info), info)
    chosen = choose_matte(found.first.parts, layer, path)
    scaled = _check_headers(found, chosen, info)
    settings = MaskSettings(
        path=path,
        keys=found.keys,
        start_frame=found.start,
        video_digest="" if found.video is None else found.video.sha256,
        video_stamp="" if found.video is None else found.video.stamp,
        reading=Reading(part=chosen.part, channels=chosen.names, scaled=scaled),
    )
    numbers = _sampled(found, info)
    looks = dict(zip(numbers, _looks(settings, info, chosen, numbers), strict=True))
    full = found.first.full
    reading, notes = understand(looks.values(), chosen, full, asked, path)
    settings = settings.model_copy(
        update={"reading": reading.model_copy(update={"scaled": scaled})}
    )
    spans = {number: span_of(look, chosen, reading) for number, look in looks.items()}
    if all(high <= NOTHING for _, high in spans.values()):
        for number in found.keys.without(FrameRange.of(spans)):  # until one shows anything
            look = next(_looks(settings, info, chosen, [number]))
            spans[number] = span_of(look, chosen, reading)
            if spans[number][1] > NOTHING:
                break
    others = f"other layers were passed over: {', '.join(chosen.others[:6])}"
    unlike = [n for n, header in found.headers.items() if header.parts != found.first.parts]
    apart = FrameRange.of(unlike).brief
    mixed = f"other channels than in the first, beside those taken: frames {apart}"
    return Paired(
        settings,
        how=_how(path, found, info),
        values=_values(reading, full, place_note(found.first, info)),
        notes=(
            *notes,
            *([others] if chosen.others else ()),
            *([mixed] if unlike else ()),
            *found.notes,
        ),
        empty=FrameRange.of(n for n, (_, high) in spans.items() if high <= NOTHING),
        solid=FrameRange.of(n for n, (low, _) in spans.items() if low >= ALL),
        looked=FrameRange.of(spans),
        framed=is_framed(looks.values(), chosen, reading),
    )


@told_as(MaskError)
@contextmanager
def _without_options() -> Iterator[None]:
    """Another cure for companions that `--mask-layer` and `--mask-range` do not speak of."""
    try:
        yield
    except MaskError as problem:
        if "--mask-" not in problem.fix:
            raise
        fix = "save that matte alone, in one channel, from 0 to 1"
        raise MaskError(problem.what, where=problem.where, fix=fix) from problem


def read_key(path: Path, info: PlateInfo, shot: Shot) -> tuple[Reading, str, tuple[str, ...]]:
    """How one picture's values are meant, the same in words, and what a person should know of it.

    Raises:
        MaskError: as `pair_masks`; or it leaves no subject.
    """
    alone = shot.model_copy(update={"frames": None})
    one = info.model_copy(update={"frames": FrameRange((info.frames.first,))})
    found = pair_masks(str(path), alone, one, asked=asked_of(shot), layer=shot.mask_layer)
    if found.empty and not read_coverage(path, info, found.settings.reading).any():
        raise MaskError(
            "the key's mask is empty", where=path, fix="key a frame that shows the subject"
        )
    return found.settings.reading, found.values, found.notes


def _find(path: str, shot: Shot, info: PlateInfo) -> _Found:
    pattern = FramePattern.of(path)
    if pattern is None and not is_picture(path):
        return _find_in_video(path, shot, info)
    if pattern is None:
        first = info.frames.first
        header = read_header(Path(path))
        return _Found(FrameRange((first,)), {first: header}, first, notes=_of_pages(header))
    keys, beside = pattern.listing()
    if not keys:
        raise MaskError("no such masks", where=path, fix="check the pattern and the folder")
    used = {key_of(keys.numbers, number) for number in asked_frames(shot, info)}
    used.add(keys.first)
    headers = {key: read_header(pattern.path(key)) for key in keys if key in used}
    apart = tuple(note for note in beside if not note.startswith("missing"))
    return _Found(keys, headers, keys.first, notes=(*_of_pages(headers[keys.first]), *apart))


def _of_pages(header: PictureHeader) -> tuple[str, ...]:
    pages = len(header.parts) == 1 < header.pages
    return (f"page 1 of {header.pages} is taken",) if pages else ()


def _find_in_video(path: str, shot: Shot, info: PlateInfo) -> _Found:
    if not Path(path).is_file():
        raise MaskError("no such masks", where=path, fix="give a pattern, a picture or a video")
    start = shot.companion_start(info.frames.first)
    with (
        told_as(MaskError, of=AdaMatteError),
        closing(open_plate(path, start_frame=start)) as video,
    ):
        have, header, found = video.info, video_header(path, video), plate_sum(video)
    notes = tuple(f"their video: {note}" for note in have.notes)
    return _Found(have.frames, {have.frames.first: header}, start, found, notes)


def _check_headers(found: _Found, layer: MatteLayer, info: PlateInfo) -> bool:
    """Whether the masks are scaled: all have one size, which is not the plate's, but its shape."""
    alike = len({header.display_window for header in found.headers.values()}) == 1
    for header in found.headers.values():
        refuse_misfit(header, info, scaled=alike)
        there = header.parts[layer.part].channels if layer.part < len(header.parts) else ()
        if header.full != found.first.full or not {*layer.names} <= {*there}:
            raise MaskError(
                "other channels or another depth than the first mask's",
                where=header.path,
                fix="render the masks alike",
            )
    return alike and "scaled" in place_note(found.first, info)


def _refuse_unpaired(path: str, keys: FrameRange, asked: FrameRange, info: PlateInfo) -> None:
    if len(keys) > 1 and keys.last < info.frames.first:
        raise MaskError(
            f"the masks end at frame {keys.last}, the plate begins at {info.frames.first}",
            where=path,
            fix="masks pair by number: rename them, or give --mask-start for a video",
        )
    early = FrameRange.of(number for number in asked if number < keys.first)
    if not early:
        return
    if len(early) == len(asked):
        what = f"the masks begin at frame {keys.first}, the frames asked for end at {asked.last}"
    else:
        what = f"no mask at or before frames {early}"
    raise MaskError(what, where=path, fix="masks pair by number: give a mask for the first frame")


def _sampled(found: _Found, info: PlateInfo) -> list[int]:
    """The masks to look at: all of a short shot's small ones, else some."""
    keys = found.keys.numbers
    if len(keys) * info.width * info.height <= _LOOKED_AT:
        return list(keys)
    return sorted({keys[round(i * (len(keys) - 1) / (_SAMPLES - 1))] for i in range(_SAMPLES)})


def _looks(
    settings: MaskSettings, info: PlateInfo, layer: MatteLayer, numbers: Iterable[int]
) -> Iterator[Look]:
    reader = MaskReader(settings, info)
    with told_as(MaskError, of=FrameError):
        for number in numbers:
            yield look_at(reader.stored(number, layer.names), layer)


def _how(path: str, found: _Found, info: PlateInfo) -> str:
    """`roto.%04d.exr, 24 masks 1001-1024`."""
    beside = "" if found.keys == info.frames else f" beside a plate of {info.frames.brief}"
    return f"{Path(path).name}, {len(found.keys)} masks {found.keys.brief}{beside}"


def _values(reading: Reading, full: float, place: str) -> str:
    """`channel Object_1.Y, 0 is none and 255 all, as stored`."""
    names = reading.channels
    if len(names) > 1:
        names = tuple(name.rpartition(".")[2] for name in names)
    one, none = f"{reading.high * full:.6g}", f"{reading.low * full:.6g}"
    values = f"only {one} is subject" if reading.only else f"{none} is none and {one} all"
    turned = "inverted" if reading.invert else ""
    return ", ".join(
        filter(None, (f"channel {', '.join(names)}", values, "as stored", turned, place))
    )
