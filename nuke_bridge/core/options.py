"""The options of `adamatte run` that a host shows, by the names of the command line.

One table for every host: what a knob or a property is called, what it holds, and what its tooltip
says. The program itself checks the values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["OPTIONS", "Option", "option"]


class Option(NamedTuple):
    """One option.

    Attributes:
        name: as in `--name`, with underscores.
        kind: `text`, `file`, `number`, `whole`, `choice`, `switch`, or `list`: words as in a shell,
            each given with the option's name.
        default: what the program takes when it is not given.
        help: the tooltip.
        choices: of a `choice`.
        section: under which heading it stands.
        pixels: whether the matte's pixels depend on it: then a change makes mattes stale.
    """

    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    section: str = "matte"
    pixels: bool = True


OPTIONS = (
    Option(
        "segment",
        "choice",
        "auto",
        "How the rough mask is made. auto: the mask input, key frames or clean plate where given, "
        "else a green or blue screen; none: every pixel unknown.",
        ("auto", "mask", "chroma", "clean-plate", "track", "none"),
    ),
    Option("screen", "text", "auto", "The screen's colour as displayed, #rrggbb; auto finds it."),
    Option(
        "keyframe",
        "list",
        "",
        "Masks of single frames, for track to carry through the shot: 1001=a.png 1025=b.png.",
    ),
    Option(
        "clean_plate",
        "file",
        "",
        "The place without the subject: a picture, a pattern or a video.",
    ),
    Option(
        "trimap",
        "file",
        "",
        "Ready trimaps, which replace mask and band: 0 background, 128 unknown, 255 subject.",
    ),
    Option(
        "band",
        "choice",
        "auto",
        "auto widens the unknown band where the plate's edge is soft: fur, motion blur, defocus; "
        "wide so far that next to nothing soft is left out; fixed not at all.",
        ("auto", "wide", "fixed"),
    ),
    Option(
        "erode",
        "number",
        8.0,
        "How far the unknown band reaches inside the mask's edge, in pixels of a 1080p frame. "
        "More for thin cloth and glass.",
    ),
    Option(
        "dilate",
        "number",
        12.0,
        "How far it reaches outside, in pixels of a 1080p frame. More for flying hair and motion "
        "blur: 25.",
    ),
    Option(
        "despill",
        "choice",
        "off",
        "Take this screen's light off the foreground; auto is the one that was keyed.",
        ("off", "auto", "green", "blue"),
    ),
    Option(
        "despeckle",
        "number",
        0.0,
        "Islands and pinholes below this go, square pixels of a 1080p frame.",
    ),
    Option(
        "choke",
        "number",
        0.0,
        "Moves the edge inwards, or outwards below 0; pixels of a 1080p frame.",
    ),
    Option("soften", "number", 0.0, "Blurs the edge, pixels of a 1080p frame."),
    Option("holdout", "file", "", "Mattes that keep the subject solid where they are white."),
    Option("garbage", "file", "", "Mattes that leave nothing where they are white."),
    Option(
        "override",
        "file",
        "",
        "The shot's trimap override file. Export overrides writes a Roto's shapes into it.",
    ),
    Option("model", "text", "lite", "Bundled weights by name, or a .safetensors file."),
    Option(
        "in_colour",
        "text",
        "",
        "The plate file's colour space. Empty: by OCIO's file rules and the file's tags; a plate "
        "that is rendered first is scene-linear.",
    ),
    Option(
        "device",
        "choice",
        "auto",
        "What the network runs on; auto takes a GPU where there is one.",
        ("auto", "cpu", "cuda"),
        "job",
        False,
    ),
    Option(
        "workers",
        "whole",
        0,
        "Frames at a time; 0 is as many as cores, GPUs and memory have room for.",
        (),
        "job",
        False,
    ),
    Option("force", "switch", False, "Compute frames again that are done.", (), "job", False),
)


def option(name: str) -> Option:
    """The option of that name."""
    return next(one for one in OPTIONS if one.name == name)
