"""The options of `run`, declared once: a line a field of `Shot`.

Types, choices, bounds and defaults are `Shot`'s own; what is typed goes to `shot_from` as text, so
that a job file and the command line are refused in the same words. Here are headings, help and
what stands for the value.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
from click.shell_completion import CompletionItem

from plugin.cli.help_page import LaidOutOption
from plugin.request.job_file import option_name, range_of
from plugin.request.shot import Shot

__all__ = [
    "CLEANUP",
    "MASK",
    "NETWORK",
    "OUTPUT",
    "SHOT",
    "TABLE",
    "TRIMAP",
    "WORK",
    "shot_options",
]

SHOT, MASK, TRIMAP = "The shot", "The mask", "The trimap"
NETWORK, CLEANUP, OUTPUT = "The network", "Clean-up", "The result"
WORK = "How it is computed"
RUN = (SHOT, MASK, TRIMAP, NETWORK, CLEANUP, OUTPUT, WORK)
"""Every heading: what a whole job takes, on whatever machine."""


@dataclass(frozen=True, slots=True)
class _Row:
    """How a field of `Shot` is asked for.

    Attributes:
        heading: where it stands in the help.
        metavar: what stands for the value; empty for a choice, which lists itself, and a flag.
        help: what it does, in which unit, what to try. Default and bounds are added.
    """

    heading: str
    metavar: str
    help: str


TABLE: dict[str, _Row] = {
    "out": _Row(
        SHOT,
        "DIR",
        "The shot's output folder: DIR/alpha/<shot>_alpha.%04d.exr and DIR/manifest.json.",
    ),
    "shot": _Row(SHOT, "NAME", "Names the files. Default: from the plate's name."),
    "frames": _Row(
        SHOT,
        "RANGE",
        "1001-1100, 1001-1100x2 for every second one, or 1001,1005-1010; both ends "
        "included. Default: all.",
    ),
    "start_frame": _Row(
        SHOT, "N", "Number of a video's first frame; files of a sequence have theirs."
    ),
    "layer": _Row(
        SHOT,
        "NAME",
        "The EXR layer, view or part that is the plate: diffuse, left, or part.layer. Default: the "
        "main picture.",
    ),
    "in_colour": _Row(
        SHOT,
        "NAME",
        "The plate's colour space: a name, role or alias of $OCIO, or of the built-in ACES "
        "configuration. Default: by OCIO's file rules, then by the file's tags.",
    ),
    "segment": _Row(
        MASK,
        "",
        "How the rough mask is made. auto: whatever of the following was given, else a green or "
        "blue screen if there is one; none: every pixel unknown.",
    ),
    "mask": _Row(
        MASK,
        "PATTERN",
        "Masks from another tool, white on the subject, paired by frame number: "
        "roto/sh010.%04d.png, or a video. How they are read is said; the next four say it instead.",
    ),
    "mask_layer": _Row(
        MASK, "NAME", "Layer, part or channel of masks and keys that counts: Object_1, A, matte.R."
    ),
    "mask_invert": _Row(MASK, "", "Black is the subject in masks and keys. [default: no]"),
    "mask_range": _Row(
        MASK,
        "LOW-HIGH",
        "None and all in masks and keys, in their own numbers: 0-255; 2-2: label 2.",
    ),
    "mask_start": _Row(
        MASK, "N", "First frame of a video of masks or clean plates. Default: the plate's first."
    ),
    "screen": _Row(
        MASK, "auto|#rrggbb", "The screen's colour as displayed, for chroma; auto finds it."
    ),
    "clean_plate": _Row(
        MASK, "FILE", "The place without the subject: a picture, a pattern or a video."
    ),
    "keyframe": _Row(
        MASK,
        "FRAME=FILE",
        "A mask of one frame, for track to carry through the shot. Repeat it for more: one every "
        "24 frames, and where the subject comes out of hiding.",
    ),
    "segment_model": _Row(
        MASK,
        "FILE|NAME",
        "For onnx: the network, NET.onnx, described by NET.toml beside it. For sam2: a folder of "
        "weights, or their name on the Hugging Face hub. Default: facebook/sam2.1-hiera-small.",
    ),
    "prompt": _Row(
        MASK,
        "FRAME=point:X,Y",
        "What sam2 is told, repeatable, in pixels: 1001=point:X,Y on the subject, 1001=not:X,Y "
        "beside it, 1001=box:LEFT,TOP,RIGHT,BOTTOM around it. --keyframe masks count too.",
    ),
    "trimap": _Row(
        TRIMAP,
        "PATTERN",
        "Ready trimaps, which replace mask and band: 0 background, 128 unknown, 255 subject.",
    ),
    "erode": _Row(
        TRIMAP,
        "PX",
        "How far the unknown band reaches inside the mask's edge, in pixels of a 1080p "
        "frame. More for thin cloth and glass.",
    ),
    "dilate": _Row(
        TRIMAP,
        "PX",
        "How far it reaches outside, in pixels of a 1080p frame. More for flying hair and"
        " motion blur: 25.",
    ),
    "band": _Row(
        TRIMAP,
        "",
        "auto: both grow where the plate's edge is soft: fur, motion blur, defocus, a rough mask. "
        "wide: by much more, so that next to nothing soft is left out. fixed: not at all.",
    ),
    "override": _Row(
        TRIMAP,
        "FILE",
        "The shot's trimap override file (shot.trimap.json): polygons, strokes, pictures and "
        "bands for some frames.",
    ),
    "model": _Row(NETWORK, "NAME|FILE", "Bundled weights by name, or a .safetensors file."),
    "device": _Row(NETWORK, "", "What the network runs on; auto takes a GPU where there is one."),
    "precision": _Row(NETWORK, "", "auto: fp32 on a CPU, bf16 on a GPU, where it is faster."),
    "tile": _Row(
        NETWORK,
        "PX|auto|off",
        "The most that the network takes at once, a side. Smaller needs less memory, the matte is "
        "the same; off: the whole frame.",
    ),
    "despeckle": _Row(
        CLEANUP,
        "AREA",
        "Remove islands and fill pinholes of fewer square pixels (of a 1080p frame). Try 30.",
    ),
    "stabilise": _Row(
        CLEANUP,
        "RADIUS",
        "Steady each alpha by so many of the plate's frames on each side, where it is unknown; "
        "those beyond --frames are matted for it too. 0 is off.",
    ),
    "choke": _Row(
        CLEANUP,
        "PX",
        "Move the edge inwards, in pixels of a 1080p frame and parts of them; outwards below 0.",
    ),
    "soften": _Row(CLEANUP, "PX", "Blur the edge by so many pixels of a 1080p frame."),
    "holdout": _Row(
        CLEANUP,
        "PATTERN",
        "Mattes that are white where the subject stays solid (a keyer's inside or core matte), "
        "paired by frame number; one picture holds for all frames.",
    ),
    "garbage": _Row(
        CLEANUP,
        "PATTERN",
        "Mattes that are white where nothing shall stay: rigs, markers, the studio. Paired as "
        "holdout; they win over it.",
    ),
    "channels": _Row(
        OUTPUT,
        "",
        "rgba: R=G=B=A=alpha, which every host reads; a: channel A alone, smaller; fg: the "
        "subject's own colours without the background's fringe, premultiplied, in the plate's "
        "colour space, alpha in A.",
    ),
    "despill": _Row(
        OUTPUT,
        "",
        "For fg: take a screen's light off the subject; auto is the screen that was keyed.",
    ),
    "bits": _Row(OUTPUT, "", "EXR channels of 16 (half) or 32 (float) bits."),
    "compression": _Row(
        OUTPUT,
        "",
        "EXR compression; zips suits hosts that read rows. All are lossless but dwaa and dwab, "
        "which are for the colours of fg alone.",
    ),
    "keep": _Row(
        OUTPUT,
        "mask,trimap,adapted,raw",
        "Write these pictures beside the alpha too, to see where a matte went wrong.",
    ),
    "report": _Row(
        OUTPUT,
        "",
        "Make the QC report, DIR/report/index.html, at the end. [default: yes]",
    ),
    "executor": _Row(
        WORK,
        "",
        "ray: workers beside each other; process: one frame after another in this process, as the "
        "tasks of a farm do.",
    ),
    "workers": _Row(
        WORK, "N|auto", "Frames at a time; auto is as many as cores, GPUs and memory have room for."
    ),
    "gpus_per_worker": _Row(WORK, "X", "Share of a GPU that a worker takes; 0.5 puts two on each."),
    "address": _Row(
        WORK, "ADDR", "A running Ray cluster, host:port. Default: a private one on this machine."
    ),
    "chunk": _Row(
        WORK, "N|auto", "Frames that a worker takes at once. The result does not depend on it."
    ),
    "retries": _Row(WORK, "N", "Tries beyond the first before a frame counts as failed."),
    "force": _Row(WORK, "", "Compute frames again that are already done and whole."),
}
"""Every field of `Shot` but the plate, which is the argument."""

JOB = click.Path(path_type=Path)


def shot_options(*headings: str) -> list[click.Parameter]:
    """The plate and the options under these headings, `--job` among the shot's.

    They arrive under their fields' names, as typed; None where not given.
    """
    plate = click.Argument(["plate"], required=False, metavar="PLATE")
    rows = [_option(field, row) for field, row in TABLE.items() if row.heading in headings]
    job = LaidOutOption(
        ["--job"],
        heading=SHOT,
        metavar="FILE.toml",
        type=JOB,
        help="Options from a file, `erode = 6` a line; the command line wins. Paths in it are "
        "relative to it.",
    )
    place = 1 + sum(row.heading == SHOT for row in TABLE.values() if row.heading in headings)
    return [plate, *rows[: place - 1], job, *rows[place - 1 :]]


def _option(field: str, row: _Row) -> LaidOutOption:
    name = option_name(field)
    annotation = Shot.model_fields[field].annotation
    text = " ".join([row.help, _note(field)]).strip()
    if annotation is bool:
        both = f"{name}/--no-{name.removeprefix('--')}"
        return LaidOutOption([both, field], heading=row.heading, default=None, help=text)
    choices = _choices(annotation)
    return LaidOutOption(
        [name, field],
        heading=row.heading,
        metavar=row.metavar or "|".join(choices),
        multiple=field in {"keep", "keyframe", "prompt"},
        shell_complete=_completer(choices) if choices else None,
        help=text,
    )


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401  an annotation may be anything
    """The values of a `Literal`, also within a set."""
    values = [v for part in (get_args(annotation) or ()) for v in (get_args(part) or (part,))]
    return tuple(value for value in values if isinstance(value, str))


def _note(field: str) -> str:
    """`[default: 8; 0 to 500]`."""
    default = Shot.model_fields[field].default
    if field in ("workers", "chunk"):
        return "[default: auto]"
    if not isinstance(default, str | int | float) or isinstance(default, bool) or default == "":
        return ""
    bounds = range_of(field)
    return f"[default: {default}; {bounds}]" if bounds else f"[default: {default}]"


def _completer(choices: Collection[str]) -> Any:  # noqa: ANN401  click's own type is private
    def complete(
        ctx: click.Context,  # noqa: ARG001
        param: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]

    return complete
