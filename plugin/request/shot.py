"""`Shot`: one validated description of a job; every option, job file and host comes down to it."""

from __future__ import annotations

import re
from math import nan
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from plugin.framerange import FrameRange
from plugin.pattern import FramePattern

__all__ = ["Kept", "Shot", "range_ends"]

Kept = Literal["mask", "trimap", "adapted", "raw"]

_KEYFRAME = re.compile(r"(-?\d{1,7})=(.+)\Z", re.ASCII | re.DOTALL)
_RANGE = re.compile(r"(-?\d*\.?\d+)-(-?\d*\.?\d+)", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")


class Shot(BaseModel):
    """A shot and how to matte it. Immutable; every field is an option of `adamatte run`.

    Attributes:
        plate: a video file, a pattern (`plate.%04d.exr`, `plate.####.exr`) or one image.
        out: the shot's output folder.
        shot: names the files; by default from the plate's name.
        frames: `1001-1100x2,1105`; None is all of them.
        start_frame: number of a video's first frame.
        layer: the EXR layer, view or part that is the plate; by default the main picture.
        in_colour: the plate's colour space; by default by file rules and tags.
        segment: how the mask is made.
        mask: pattern or video of masks from another tool.
        mask_layer: the layer, part or channel of masks and keys that is the matte.
        mask_invert: black is the subject in masks and keys.
        mask_range: which of their own values are none and all, `LOW-HIGH`; one number twice is a
            label.
        mask_start: number of the first frame of a video of masks, mattes or clean plates; by
            default the plate's first, or `start_frame` where that is given.
        screen: `auto`, or the screen's display colour as `#rrggbb`.
        clean_plate: the place without the subject: a picture, a pattern or a video.
        keyframe: masks that `track` carries through the shot, each as `FRAME=FILE`.
        segment_model: an ONNX file for `onnx`; a folder or a name on the hub for `sam2`.
        prompt: what `sam2` is told: `FRAME=point:X,Y`, `FRAME=not:X,Y`, `FRAME=box:X,Y,X,Y`.
        trimap: pattern of ready trimaps, which replace segmentation.
        erode: band inside the mask's edge, pixels of a 1080p frame.
        dilate: band outside the mask's edge, pixels of a 1080p frame.
        band: `auto` widens the band where the plate's edge is soft (fur, motion blur, defocus);
            `wide` so far that next to nothing soft is left out; `fixed` not at all.
        override: the shot's trimap override file.
        model: bundled weights by name, or a `.safetensors` file.
        device: `auto` takes a GPU where there is one.
        precision: of the network's convolutions; `auto` is fp32 on a CPU, bf16 on a GPU.
        tile: longest side of what the network takes at once, pixels without the context around it;
            `auto` by device and free memory, `off` is the whole frame. The matte is the same.
        stabilise: frames on each side by which a frame's alpha is steadied; 0 is off.
        bits: bits of the EXR's channels.
        channels: `rgba` (R=G=B=A=alpha), `a` alone, or `fg` (premultiplied foreground and alpha).
        compression: of the EXR; `dwaa` and `dwab` are lossy, and for the colours of `fg` alone.
        despill: take this screen's light off the foreground; `auto` is the one that was keyed.
        despeckle: islands and pinholes below this go, square pixels of a 1080p frame.
        choke: moves the edge inwards, or outwards below 0; pixels of a 1080p frame.
        soften: blurs the edge, pixels of a 1080p frame.
        holdout: mattes that keep the subject solid where they are white.
        garbage: mattes that leave nothing where they are white.
        keep: which intermediate pictures to write beside the alpha.
        report: make the QC report in `DIR/report`.
        executor: `ray` has workers; `process` does one frame after another in this process, as a
            farm's task does.
        workers: how many; 0 is as many as the machine has room for.
        address: a Ray cluster; None is a private one on this machine.
        chunk: frames a task; 0 lets the program choose.
        retries: tries a frame beyond the first.
        force: compute frames again that are already done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plate: str
    out: Path
    shot: str = ""
    frames: FrameRange | None = None
    start_frame: int = 1001
    layer: str = ""
    in_colour: str | None = None
    segment: Literal["auto", "mask", "chroma", "clean-plate", "track", "onnx", "sam2", "none"] = (
        "auto"
    )
    mask: str | None = None
    mask_layer: str = ""
    mask_invert: bool = False
    mask_range: str | None = None
    mask_start: int | None = None
    screen: str = "auto"
    clean_plate: str | None = None
    keyframe: tuple[str, ...] = ()
    segment_model: str | None = None
    prompt: tuple[str, ...] = ()
    trimap: str | None = None
    erode: Annotated[float, Field(ge=0, le=500)] = 8
    dilate: Annotated[float, Field(ge=0, le=500)] = 12
    band: Literal["auto", "wide", "fixed"] = "auto"
    override: str | None = None
    model: str = "lite"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    tile: Annotated[str, BeforeValidator(str)] = "auto"
    stabilise: Annotated[int, Field(ge=0, le=8)] = 2
    bits: Literal["half", "float"] = "half"
    channels: Literal["rgba", "a", "fg"] = "rgba"
    compression: Literal["none", "zip", "zips", "piz", "dwaa", "dwab"] = "zips"
    despill: Literal["off", "auto", "green", "blue"] = "off"
    despeckle: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    choke: Annotated[float, Field(ge=-50, le=50)] = 0
    soften: Annotated[float, Field(ge=0, le=50)] = 0
    holdout: str | None = None
    garbage: str | None = None
    keep: frozenset[Kept] = frozenset()
    report: bool = True
    executor: Literal["ray", "process"] = "ray"
    workers: Annotated[int, Field(ge=0, le=10_000)] = 0
    gpus_per_worker: Annotated[float, Field(gt=0, le=16)] = 1.0
    address: str | None = None
    chunk: Annotated[int, Field(ge=0, le=100_000)] = 0
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    force: bool = False

    @field_validator("screen")
    @classmethod
    def _screen_is_colour(cls, text: str) -> str:
        if text != "auto" and not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            raise ValueError("give it as #rrggbb, or auto")
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
        text = self.shot or _name_of(self.plate)
        return _NOT_IN_NAMES.sub("_", text).strip("._-") or "shot"


def range_ends(text: str) -> tuple[float, float]:
    """Both numbers of `LOW-HIGH`; not numbers where it is not that."""
    match = _RANGE.fullmatch(text.replace(" ", ""))
    return (float(match[1]), float(match[2])) if match else (nan, nan)


def _name_of(plate: str) -> str:
    pattern = FramePattern.of(plate)
    return Path(plate).stem if pattern is None else pattern.prefix or Path(plate).parent.name
