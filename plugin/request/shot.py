"""`Shot`: one validated description of a job; every option, job file and host comes down to it."""

import re
from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_serializer,
    field_validator,
)

from plugin.framerange import FrameRange
from plugin.pattern import name_of
from plugin.request.asked import CLEANUP, MASK, NETWORK, OUTPUT, SHOT, TRIMAP, WORK, Asked

Kept = Literal["mask", "trimap", "adapted", "raw"]
Layer = Literal["trimap", "adapted", "confidence"]

_KEYFRAME = re.compile(r"(-?\d{1,7})=(.+)\Z", re.ASCII | re.DOTALL)
_RANGE = re.compile(r"(-?\d*\.?\d+)-(-?\d*\.?\d+)", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


class Shot(BaseModel):
    """A shot and how to matte it. Immutable; every field is an option of `adamatte run`.

    What stands below a field is its help on the command line and its tooltip in a host. `auto` of
    `workers` and `chunk` is 0 here, of `gpus_per_worker` None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    plate: Annotated[str, Asked(SHOT, "PLATE", path=True)]
    """A video file, a pattern (`plate.%04d.exr`, `plate.####.exr`) or one image."""
    out: Annotated[Path, Asked(SHOT, "DIR", path=True, pixels=False)]
    """The shot's output folder: DIR/alpha/<shot>_alpha.%04d.exr and DIR/manifest.json."""
    shot: Annotated[str, Asked(SHOT, "NAME", pixels=False)] = ""
    """Names the files. Default: from the plate's name."""
    frames: Annotated[FrameRange | None, Asked(SHOT, "RANGE", pixels=False)] = None
    """1001-1100, 1001-1100x2 for every second one, or 1001,1005-1010; both ends included. Default:
    all."""
    start_frame: Annotated[int, Asked(SHOT, "N")] = 1001
    """Number of a video's first frame; files of a sequence have theirs."""
    layer: Annotated[str, Asked(SHOT, "NAME")] = ""
    """The EXR layer, view or part that is the plate: diffuse, left, or part.layer. Default: the
    main picture."""
    in_colour: Annotated[str | None, Asked(SHOT, "NAME")] = None
    """The plate's colour space: a name, role or alias of $OCIO, or of the built-in ACES
    configuration. Default: by OCIO's file rules, then by the file's tags."""
    segment: Annotated[
        Literal["auto", "mask", "chroma", "clean-plate", "track", "learn", "onnx", "sam2", "none"],
        Asked(MASK),
    ] = "auto"
    """How the rough mask is made. auto: whatever of the following was given, else a green or blue
    screen if there is one; none: every pixel unknown."""
    mask: Annotated[str | None, Asked(MASK, "PATTERN", path=True)] = None
    """Masks from another tool, white on the subject, paired by frame number: roto/sh010.%04d.png,
    or a video. How they are read is said; the next four say it instead."""
    mask_layer: Annotated[str, Asked(MASK, "NAME")] = ""
    """Layer, part or channel of masks and keys that counts: Object_1, A, matte.R."""
    mask_invert: Annotated[bool, Asked(MASK)] = False
    """Black is the subject in masks and keys. [default: no]"""
    mask_range: Annotated[str | None, Asked(MASK, "LOW-HIGH")] = None
    """None and all in masks and keys, in their own numbers: 0-255; 2-2: label 2."""
    mask_start: Annotated[int | None, Asked(MASK, "N")] = None
    """First frame of a video of masks or clean plates. Default: the plate's first."""
    screen: Annotated[str, Asked(MASK, "auto|#rrggbb")] = "auto"
    """The screen's colour as displayed, for chroma; auto finds it."""
    clean_plate: Annotated[str | None, Asked(MASK, "FILE", path=True)] = None
    """The place without the subject: a picture, a pattern or a video."""
    keyframe: Annotated[tuple[str, ...], Asked(MASK, "FRAME=FILE")] = ()
    """A mask of one frame, for track or learn to carry through the shot. Repeat it for more: one
    every 24 frames, and where the subject comes out of hiding."""
    learn_minutes: Annotated[float, Field(gt=0, le=600), Asked(MASK, "M")] = 2
    """How long learn teaches its network the keys, in minutes of two cores."""
    segment_model: Annotated[str | None, Asked(MASK, "FILE|NAME")] = None
    """For onnx: the network, NET.onnx, described by NET.toml beside it. For sam2: a folder of
    weights, or their name on the Hugging Face hub. Default: facebook/sam2.1-hiera-small."""
    prompt: Annotated[tuple[str, ...], Asked(MASK, "FRAME=point:X,Y")] = ()
    """What sam2 is told, repeatable, in pixels: 1001=point:X,Y on the subject, 1001=not:X,Y beside
    it, 1001=box:LEFT,TOP,RIGHT,BOTTOM around it. --keyframe masks count too."""
    trimap: Annotated[str | None, Asked(TRIMAP, "PATTERN", path=True)] = None
    """Ready trimaps, which replace mask and band: 0 background, 128 unknown, 255 subject."""
    erode: Annotated[float, Field(ge=0, le=500), Asked(TRIMAP, "PX")] = 8
    """How far the unknown band reaches inside the mask's edge, in pixels of a 1080p frame. More for
    thin cloth and glass."""
    dilate: Annotated[float, Field(ge=0, le=500), Asked(TRIMAP, "PX")] = 12
    """How far it reaches outside, in pixels of a 1080p frame. More for flying hair and motion blur:
    25."""
    band: Annotated[Literal["auto", "wide", "fixed"], Asked(TRIMAP)] = "auto"
    """auto: by stretches of the outline, narrow and on the plate's own edge where that is sharp,
    wide on hair, fur, motion blur and a rough mask; erode and dilate scale it. wide: both grow by
    much where the edge is soft, so that next to nothing soft is left out. fixed: as they are."""
    edge: Annotated[Literal["auto", "hard", "hair"], Asked(TRIMAP)] = "auto"
    """What the outline is, for the band auto: told by stretch, cloth and skin throughout, or hair
    throughout."""
    override: Annotated[str | None, Asked(TRIMAP, "FILE", path=True)] = None
    """The shot's trimap override file (shot.trimap.json): polygons, strokes, pictures and bands for
    some frames."""
    model: Annotated[str, Asked(NETWORK, "NAME|FILE")] = "lite"
    """Bundled weights by name, or a .safetensors file."""
    device: Annotated[Literal["auto", "cpu", "cuda"], Asked(NETWORK, pixels=False)] = "auto"
    """What the network runs on; auto takes a GPU where there is one."""
    precision: Annotated[Literal["auto", "fp32", "bf16", "fp16"], Asked(NETWORK)] = "auto"
    """auto: fp32 on a CPU, bf16 on a GPU, where it is faster."""
    tile: Annotated[str, BeforeValidator(str), Asked(NETWORK, "PX|auto|off", pixels=False)] = "auto"
    """The most that the network takes at once, a side. Smaller needs less memory, the matte is the
    same; off: the whole frame."""
    learn: Annotated[Literal["off", "alpha"], Asked(NETWORK)] = "off"
    """alpha: --keyframe files are finished mattes of this shot, hair and blur and all, and the
    matting network is tuned to them first, for --learn-minutes, with track or learn. Not for roto
    shapes or feathered masks: it would learn their edges."""
    despeckle: Annotated[float, Field(ge=0, le=1_000_000), Asked(CLEANUP, "AREA")] = 0
    """Remove islands and fill pinholes of fewer square pixels (of a 1080p frame). Try 30."""
    stabilise: Annotated[int, Field(ge=0, le=8), Asked(CLEANUP, "RADIUS")] = 2
    """Steady each alpha by so many of the plate's frames on each side, where it is unknown; those
    beyond --frames are matted for it too. 0 is off."""
    choke: Annotated[float, Field(ge=-50, le=50), Asked(CLEANUP, "PX")] = 0
    """Move the edge inwards, in pixels of a 1080p frame and parts of them; outwards below 0."""
    soften: Annotated[float, Field(ge=0, le=50), Asked(CLEANUP, "PX")] = 0
    """Blur the edge by so many pixels of a 1080p frame."""
    holdout: Annotated[str | None, Asked(CLEANUP, "PATTERN", path=True)] = None
    """Mattes that are white where the subject stays solid (a keyer's inside or core matte), paired
    by frame number; one picture holds for all frames."""
    garbage: Annotated[str | None, Asked(CLEANUP, "PATTERN", path=True)] = None
    """Mattes that are white where nothing shall stay: rigs, markers, the studio. Paired as holdout;
    they win over it."""
    channels: Annotated[Literal["rgba", "a", "fg"], Asked(OUTPUT)] = "rgba"
    """rgba: R=G=B=A=alpha, which every host reads; a: channel A alone, smaller; fg: the subject's
    own colours without the background's fringe, premultiplied, in the plate's colour space, alpha
    in A."""
    despill: Annotated[Literal["off", "auto", "green", "blue"], Asked(OUTPUT)] = "off"
    """For fg: take a screen's light off the subject; auto is the screen that was keyed."""
    bits: Annotated[Literal["half", "float"], Asked(OUTPUT)] = "half"
    """EXR channels of 16 (half) or 32 (float) bits."""
    compression: Annotated[Literal["none", "zip", "zips", "piz", "dwaa", "dwab"], Asked(OUTPUT)] = (
        "zips"
    )
    """EXR compression; zips suits hosts that read rows. All are lossless but dwaa and dwab, which
    are for the colours of fg alone."""
    layers: Annotated[frozenset[Layer], Asked(OUTPUT, "trimap,adapted,confidence")] = frozenset()
    """Further layers of the alpha files, channel A of each, for those who comp with them: the
    trimap that went in and the one that the network made of it (0, 0.5, 1), and how sure the
    network is of it (0 to 1)."""
    keep: Annotated[frozenset[Kept], Asked(OUTPUT, "mask,trimap,adapted,raw", pixels=False)] = (
        frozenset()
    )
    """Write these pictures beside the alpha too, to see where a matte went wrong. raw, the
    network's alphas before clean-up, stay in any case while a shot's take less than 500 MB: then
    another --choke, --despill or --channels does not need the network. DIR/raw may be removed."""
    report: Annotated[bool, Asked(OUTPUT, pixels=False)] = True
    """Make the QC report, DIR/report/index.html, at the end. [default: yes]"""
    executor: Annotated[Literal["auto", "ray", "process"], Asked(WORK, pixels=False)] = "auto"
    """ray: workers beside each other; process: one frame after another in this process, as the
    tasks of a farm do; auto: process where so few frames are to be done that Ray's start would take
    longer."""
    workers: Annotated[int, Field(ge=0, le=10_000), Asked(WORK, "N|auto", pixels=False)] = 0
    """Frames at a time; auto is as many as cores, GPUs and memory have room for."""
    gpus_per_worker: Annotated[
        float | None, Field(gt=0, le=16), Asked(WORK, "X|auto", pixels=False)
    ] = None
    """Share of a GPU that a worker takes; 0.5 puts two on each. auto is as many as its memory and
    the cores have room for, on a cluster that was joined one."""
    address: Annotated[str | None, Asked(WORK, "ADDR", pixels=False)] = None
    """A running Ray cluster, host:port. Default: a private one on this machine."""
    chunk: Annotated[int, Field(ge=0, le=100_000), Asked(WORK, "N|auto", pixels=False)] = 0
    """Frames that a worker takes at once. The result does not depend on it."""
    retries: Annotated[int, Field(ge=0, le=100), Asked(WORK, "N", pixels=False)] = 2
    """Tries beyond the first before a frame counts as failed."""
    force: Annotated[bool, Asked(WORK, pixels=False)] = False
    """Compute frames again that are already done and whole."""

    @field_serializer("layers", "keep")
    def _sets_are_sorted(self, given: frozenset[str]) -> list[str]:
        return sorted(given)  # two processes write the same

    @field_validator("screen")
    @classmethod
    def _screen_is_colour(cls, text: str) -> str:
        if text != "auto" and not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            raise ValueError("give the screen's colour as displayed, #00b140 or so, or auto")
        return text.lower()

    @field_validator("mask_range")
    @classmethod
    def _mask_range_is_two_numbers(cls, text: str | None) -> str | None:
        low, high = (0.0, 1.0) if text is None else range_ends(text)
        if not low <= high:
            raise ValueError("give it as LOW-HIGH, such as 0-255, or 2-2 for a label")
        return text

    @field_validator("tile")
    @classmethod
    def _tile_is_a_size(cls, text: str) -> str:
        if text in ("auto", "off"):
            return text
        if not text.isascii() or not text.isdigit() or not 64 <= int(text) <= 16384:
            raise ValueError("give it as auto, off, or pixels from 64 to 16384")
        return str(int(text))

    @field_validator("keyframe")
    @classmethod
    def _keyframes_name_frames(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        keys = [_KEYFRAME.match(text) for text in given]
        if not all(keys):
            raise ValueError("give it as FRAME=FILE, such as 1001=roto.1001.png")
        if len({int(key[1]) for key in keys if key is not None}) < len(given):
            raise ValueError("one frame has two keys")
        return given

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, which proves nothing; but frames may be given as text."""
        given = dict(update or {})
        if isinstance(given.get("frames"), str):
            given["frames"] = FrameRange.parse(given["frames"])
        return super().model_copy(update=given, deep=deep)

    def companion_start(self, first: int) -> int:
        """The number of the first frame of a video beside a plate that begins at `first`."""
        if self.mask_start is not None:
            return self.mask_start
        return self.start_frame if "start_frame" in self.model_fields_set else first

    @property
    def keyframes(self) -> dict[int, str]:
        """The key masks by frame number."""
        parts = (text.partition("=") for text in self.keyframe)
        return {int(number): file for number, _, file in sorted(parts, key=lambda p: int(p[0]))}

    @property
    def name(self) -> str:
        """The shot's name as it stands in file names: letters, digits, `_`, `.` and `-`."""
        text = self.shot or name_of(self.plate)
        return _NOT_IN_NAMES.sub("_", text).strip("._-") or "shot"


def asked_of(field: str) -> Asked:
    """How a field is asked for."""
    return next(rule for rule in Shot.model_fields[field].metadata if isinstance(rule, Asked))


def range_ends(text: str) -> tuple[float, float]:
    """Both numbers of `LOW-HIGH`; not numbers where it is not that."""
    match = _RANGE.fullmatch(text.replace(" ", ""))
    return (float(match[1]), float(match[2])) if match else (nan, nan)
