"""`adamatte inspect`: what probing found, for people and for programs."""

from typing import Any

from plugin.progress.lines import printable
from plugin.types import PlateInfo, Window


def describe(info: PlateInfo) -> str:
    """Lines of `name  value`, then one line for each note."""
    rows = [
        ("plate", info.path),
        ("kind", info.kind.value),
        ("frames", f"{info.frames} ({len(info.frames)})"),
        ("size", _size(info)),
        ("rate", _rate(info)),
        ("timecode", info.timecode or "none"),
        ("codec", f"{info.codec}, {info.pixel_format}, {info.bits} bits a channel"),
        ("colour", info.colour),
    ]
    if info.data_window != info.display_window:
        rows.insert(4, ("display", _window(info.display_window)))
        rows.insert(4, ("data", _window(info.data_window)))
    if info.digest:
        rows.append(("sha256", info.digest))
    rows += [("note", note) for note in info.notes]
    return "\n".join(printable(f"{name:<9} {value}") for name, value in rows)


def as_json(info: PlateInfo) -> dict[str, Any]:
    """The same as plain values. Windows are `[x_min, y_min, x_max, y_max]`, corners included.

    `rate` is a fraction as text, `24000/1001`; what the files do not say is None.
    """
    said = info.model_dump(mode="json", exclude={"path", "digest"})
    return said | {
        "plate": info.path,
        "count": len(info.frames),
        "first": info.frames.first,
        "last": info.frames.last,
        "width": info.width,
        "height": info.height,
        "sha256": info.digest or None,
    }


def _size(info: PlateInfo) -> str:
    text = f"{info.width} × {info.height}"
    return text if info.pixel_aspect == 1 else f"{text}, pixel aspect {info.pixel_aspect:.4g}"


def _rate(info: PlateInfo) -> str:
    if info.rate is None:
        return "not said"
    exact = "" if info.rate.denominator == 1 else f" ({info.rate})"
    return f"{float(info.rate):.6g} frames a second{exact}"


def _window(window: Window) -> str:
    return f"({window.x_min}, {window.y_min}) to ({window.x_max}, {window.y_max})"
