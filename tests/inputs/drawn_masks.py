"""Masks of every kind that the campaign draws, beside a drawn plate."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from plugin.types import Window
from tests.inputs.drawn import PLACE, Array, DrawnPlate
from tests.inputs.files import png
from tests.media import LOSSLESS, write_exr, write_image, write_video

TOLD = r"passed over|their colours are taken|only \S+ of their colours|painted in one colour"


@dataclass
class DrawnMask:
    """Masks on disk and what is true of them.

    Attributes:
        kind: for the counts.
        options: of the shot.
        plain: nothing about them is doubtful: they must be read, and rightly.
        hard: they have no soft edge.
        excuses: notes that make a wrong result a told one.
        labels: two objects by number; the first is the disc.
    """

    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    plain: bool = True
    hard: bool = False
    excuses: list[str] = field(default_factory=list)


Store = Callable[[int], Array]
Change = Callable[[Array], Array]

CHANGES: dict[str, Change] = {
    "soft": lambda a: a,
    "hard": lambda a: (a > 0.5) * 1.0,
    "zero and one": lambda a: (a > 0.5) / 255,
    "labels": lambda a: _beside(a > 0.5, 2) / 255,
    "inverted": lambda a: 1 - a,
    "dim": lambda a: a * 0.7,
    "levels": lambda a: (16 + a * 219) / 255,
    "beyond": lambda a: a * 1.1 - 0.04,
    "to 255": lambda a: a * 255,
    "to 40": lambda a: a * 40,
}


def _beside(inside: Array, other: int) -> Array:
    labels = inside * 1.0
    labels[:3, -6:] = other
    return np.asarray(labels)


def draw_mask(rng: random.Random, folder: Path, plate: DrawnPlate) -> DrawnMask:
    """Draw masks for a plate, one a frame or more."""
    folder.mkdir()
    if rng.random() < 0.1:
        return _trimaps(rng, folder, plate)
    form = rng.choice(["png"] * 4 + ["exr"] * 5 + ["tif", "tif", "tga", "bmp", "dpx", "video"])
    mask = _values(rng, form)
    store, window = _stored(rng, plate, form, mask)
    numbers = _numbers(rng, plate, form, mask)
    frames = {number: store(number) for number in numbers}
    if form == "video":
        path = _video(folder / "m.mkv", list(frames.values()))
    elif form == "exr":
        path = _exrs(rng, folder, mask, frames, _header(rng, plate, window))
    else:
        path = _stills(rng, folder, form, mask, frames)
    mask.options["mask"] = str(path)
    if mask.options.keys() == {"mask"} and rng.random() < 0.15:
        mask.options["holdout"] = str(path)  # read by the same reader
    return mask


def _trimaps(rng: random.Random, folder: Path, plate: DrawnPlate) -> DrawnMask:
    """Ready trimaps: none, unknown, all, as they are stored."""
    form = rng.choice(["png", "png 16", "8 in 16", "tif", "exr", "colours"])
    suffix = {"png 16": "png", "8 in 16": "png", "colours": "png"}.get(form, form)
    for number in plate.numbers:
        alpha = plate.scene.alpha(number)
        labels = np.where(alpha <= 0, 0, np.where(alpha >= 1, 255, 128)).astype(np.uint8)
        path = folder / f"t.{number:04d}.{suffix}"
        if form == "exr":
            corner = (plate.scene.data.x_min, plate.scene.data.y_min)
            box = plate.scene.display
            corners = (box.x_min, box.y_min, box.x_max, box.y_max)
            half = np.where(labels == 128, 0.5, labels / 255).astype(np.float16)
            write_exr(path, dict.fromkeys("RGB", half), data=corner, display=corners)
            continue
        deep = {"png 16": 257, "8 in 16": 1}.get(form, 0)
        pixels = labels[..., None] if not deep else labels[..., None].astype(np.uint16) * deep
        if form == "colours":
            pixels = np.dstack([labels, labels[:, ::-1], labels])
        write_image(path, pixels)
    moved = plate.scene.data != plate.scene.display and form != "exr"
    options = {"trimap": str(folder / f"t.%04d.{suffix}")}
    return DrawnMask(f"trimap {form}", options, plain=form != "colours" and not moved)


def _values(rng: random.Random, form: str) -> DrawnMask:
    """What the stored values stand for."""
    kinds = ["soft"] * 5 + ["hard", "inverted"]
    if form != "video":
        kinds += ["dim", "levels"]
    kinds += ["beyond", "to 255", "to 40"] if form == "exr" else []
    kinds += ["labels", "zero and one"] if form in {"png", "tif", "tga", "bmp"} else []
    kind = rng.choice(kinds)
    mask = DrawnMask(kind, hard=kind in {"hard", "labels", "zero and one"})
    if kind == "inverted":
        mask.options["mask_invert"] = True
    if kind in {"to 40", "labels"}:
        mask.plain = rng.random() < 0.5
        if mask.plain:
            mask.options["mask_range"] = "0-40" if kind == "to 40" else "1-1"
    if kind == "dim":
        mask.plain = False
        mask.excuses.append("their largest value is")
    return mask


def _stored(
    rng: random.Random, plate: DrawnPlate, form: str, mask: DrawnMask
) -> tuple[Store, Window]:
    """A frame's stored values, and the window that they cover."""
    scene, change = plate.scene, CHANGES[mask.kind]
    box, kind = scene.display, rng.choice(["data"] * 3 + ["display", "crop", "half", "other"])
    moved = scene.data != box and (scene.data.width, scene.data.height) == (box.width, box.height)
    if moved and form != "exr":
        mask.plain = False  # it fits two places
    window = scene.data if kind == "data" else box
    if kind == "crop" and form == "exr" and mask.kind not in {"inverted", "levels"}:
        middle = box.y_min + box.height // 2
        window = Window(box.x_min + 1, middle - 10, box.x_max - 1, middle + 9)
    size: tuple[int, int] | None = None
    if kind == "half" and mask.kind not in {"labels", "zero and one", "hard"}:
        size = box.width // 2, box.height // 2
        mask.excuses.append("scaled to the plate's")
    if kind == "other":
        size, mask.plain = (33, 17), False

    def store(number: int) -> Array:
        alpha = scene.alpha(number, window)
        if size is not None:
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        return np.asarray(change(alpha), np.float32)

    mask.kind = f"{form} {mask.kind} {kind}"
    return store, (Window.of_size(*size) if size is not None else window)


def _numbers(rng: random.Random, plate: DrawnPlate, form: str, mask: DrawnMask) -> tuple[int, ...]:
    """The frames that have a mask."""
    first, last = plate.numbers[0], plate.numbers[-1]
    kind = rng.choice(["same"] * 6 + ["more", "later", "before", "gap"])
    if form == "video":
        if kind == "more" and first > 3:
            mask.options["mask_start"] = first - 2
        start = mask.options.get("mask_start", first)
        return tuple(range(start, last + 1))
    drawn = {
        "more": tuple(range(max(first - 2, 0), last + 2)),
        "later": plate.numbers[1:],
        "before": tuple(range(1, 1 + len(plate.numbers))) if first > 100 else (),
        "gap": (first, last) if len(plate.numbers) > 2 else (),
    }.get(kind, ())
    if kind in {"later", "before", "gap"} and drawn:
        mask.plain = False
        mask.excuses.append("the nearest earlier one is held")
    return drawn or plate.numbers


def _video(path: Path, frames: list[Array]) -> Path:
    codec = replace(LOSSLESS, size=(frames[0].shape[1], frames[0].shape[0]))
    grey = [np.rint(frame * 4095).astype(np.uint16) for frame in frames]
    return write_video(path, codec, [[one] * 3 for one in grey])


def _header(rng: random.Random, plate: DrawnPlate, window: Window) -> dict[str, Any]:
    """Where the EXRs say that they lie: truly, or at 0, 0 where that says the same."""
    box = plate.scene.display
    if window not in {plate.scene.data, box} and (window.x_min, window.y_min) == (0, 0):
        return {}  # of another size, without windows
    if window == plate.scene.data and rng.random() < 0.3:
        return {}
    corners = (box.x_min, box.y_min, box.x_max, box.y_max)
    return {"data": (window.x_min, window.y_min), "display": corners}


def _exrs(
    rng: random.Random, folder: Path, mask: DrawnMask, frames: Mapping[int, Array], header: Any
) -> Path:
    layout = rng.choice(["Y", "Y", "RGB", "RGBA", "A", "layer", "two", "depth", "picture", "odd"])
    dtype = rng.choice([np.float16, np.float32])
    named = rng.random() < 0.5
    if layout in {"two", "picture"}:
        mask.plain &= named
        if named and layout == "two":
            mask.options["mask_layer"] = "Object_1"
        elif named:
            mask.options["mask_layer"] = "roto.mask"
    mask.excuses.append(TOLD)
    for number, values in frames.items():
        stored = values.astype(dtype)
        noise = np.random.default_rng(number).random((*values.shape, 3), np.float32)
        channels: dict[str, Array] = {
            "Y": {"Y": stored},
            "RGB": dict.fromkeys("RGB", stored),
            "RGBA": dict.fromkeys("RGBA", stored),
            "A": {"A": stored},
            "layer": {"roto.R": stored, "roto.G": stored * 0, "roto.B": stored * 0},
            "two": {"Object_0.Y": stored[:, ::-1], "Object_1.Y": stored},
            "depth": {"depth.Z": stored * 0 + 7, "matte.Y": stored},
            "picture": {**{n: noise[..., i] for i, n in enumerate("RGB")}, "roto.mask": stored},
            "odd": {"subject": stored},
        }[layout]
        plain = {name: np.ascontiguousarray(value) for name, value in channels.items()}
        write_exr(folder / f"m.{number:04d}.exr", plain, **header)
    mask.kind += f" {layout}"
    return folder / "m.%04d.exr"


def _stills(
    rng: random.Random, folder: Path, form: str, mask: DrawnMask, frames: Mapping[int, Array]
) -> Path:
    exact = any(word in mask.kind for word in ("labels", "zero and one"))
    deep = form in {"png", "tif", "dpx"} and rng.random() < 0.4 and not exact
    layouts = ["grey", "grey", "RGB", "full alpha", "alpha", "red"]
    layout = rng.choice(["RGB"] if form in {"bmp", "dpx"} else layouts)
    narrow = deep and layout == "grey" and form != "dpx" and rng.random() < 0.3
    narrow = narrow and not any(word in mask.kind for word in ("dim", "levels", "inverted"))
    full = 255 if narrow or not deep else 65535
    mask.excuses.append(TOLD)
    mask.kind += f" {layout}{' 8 in 16' if narrow else ''}"
    moved = form == "png" and rng.random() < 0.3
    for number, values in frames.items():
        grey = np.rint(values * full)[..., None]
        noise = np.random.default_rng(number).random((*values.shape, 3)) * full
        pixels = {
            "grey": grey,
            "RGB": np.repeat(grey, 3, 2),
            "full alpha": np.dstack([np.repeat(grey, 3, 2), np.full_like(grey, full)]),
            "alpha": np.dstack([noise, grey]),
            "red": np.dstack([grey, grey * 0, grey * 0]),
        }[layout].astype(np.uint16 if deep else np.uint8)
        path = folder / f"m.{number:04d}.{form}"
        if moved:
            png(path, PLACE, pixels=pixels)
        else:
            write_image(path, pixels)
    return folder / f"m.%04d.{form}"
