"""The page itself: `index.html`, its style and scripts, and the data that the scripts show.

Texts that are not ours (names, paths, ids, errors) go through `printable` and Jinja's escaping into
the page, and through JSON into `data.js`, whose scripts set them as text and never as markup.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from plugin.disk.atomic import write_whole
from plugin.framerange import FrameRange
from plugin.progress.lines import printable
from plugin.report.against import Comparison
from plugin.report.command import command_of, shell_word
from plugin.report.facts import Problem, Rule, document, provenance, settings, stub
from plugin.report.figures import Box
from plugin.report.preview import COMP_COLOUR
from plugin.report.reasons import Figures, Reason, percent
from plugin.report.suggest import Tries
from plugin.report.worst import Suspect
from plugin.result.manifest import Manifest
from plugin.types import FrameState

_ASSETS = Path(__file__).parent / "assets"
_COPIED = (
    *(
        "report.css",
        "tiles.js",
        "play.js",
        "readout.js",
        "sheet.js",
        "viewer.js",
        "timeline.js",
        "desk.js",
    ),
)
_DIGITS = 5
_BOUND_MB = 256
"""What a report of up to 20 000 frames stays below: sprites 128, full-size 64, film and page."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows.

    Attributes:
        manifest: of the result.
        problems: what is not as it should be.
        figures: of every frame that is done, in order.
        suspects: the frames to look at, the worst first.
        tries: overrides that were tried.
        sprites: the small pictures by frame.
        full: the full-size pictures by frame and kind.
        rules: override rules in force.
        film: the preview.
        film_frames: its frames.
        contact: the picture of a few frames.
        notes: what was left out.
        thorough: every frame was decoded.
        against: another run.
        compared: pictures of the comparison, by frame and kind.
        bytes: of the folder.
    """

    manifest: Manifest
    problems: tuple[Problem, ...]
    figures: tuple[Figures, ...]
    suspects: tuple[Suspect, ...]
    sprites: Mapping[int, Path]
    full: Mapping[int, Mapping[str, Path]]
    rules: tuple[Rule, ...]
    film: Path | None
    film_frames: tuple[int, ...]
    contact: Path | None
    notes: tuple[str, ...]
    thorough: bool
    against: Comparison | None = None
    compared: Mapping[int, Mapping[str, Path]] = field(default_factory=dict)
    tries: Tries = field(default_factory=Tries)
    bytes: int = 0


def write_page(folder: Path, page: Page) -> Path:
    """Write `index.html`, `data.js`, style and scripts.

    Args:
        folder: the report's.
        page: what it shows; its pictures are there.

    Returns:
        `index.html`.

    Raises:
        OutputError: the disk refuses.
    """
    write = partial(write_whole, durable=False)
    for name in _COPIED:
        write(folder / name, (_ASSETS / name).read_bytes())
    data = json.dumps(_data(folder, page), separators=(",", ":"))  # ASCII: no odd line ends
    write(folder / "data.js", f"window.ADAMATTE = {data};\n".replace("<", "\\u003c").encode())
    path = folder / "index.html"
    write(path, _html(folder, page).encode("utf-8", "backslashreplace"))
    return path


def _html(folder: Path, page: Page) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            printable(value) if isinstance(value, str) and not _safe(value) else value
        ),
    )
    environment.filters["percent"] = percent
    environment.filters["raw_text"] = _raw_text
    manifest = page.manifest
    rules = sum(1 for _ in page.rules)
    return environment.get_template("page.html").render(
        page=page,
        shot=manifest.shot.shot or manifest.shot.name,
        counts=_counts(page),
        command=_raw_text(command_of(manifest.shot)),
        desk=_raw_text(f"adamatte desk --out={shell_word(str(folder.parent.absolute()))}"),
        provenance=provenance(manifest),
        settings=settings(manifest),
        stubs={
            s.number: stub(s, manifest, rules)
            if s.number not in page.tries.found
            else document(page.tries.found[s.number].rule, manifest, rules)
            for s in page.suspects
        },
        worth=[s for s in page.suspects if s.severity >= 1],
        megabytes=f"{page.bytes / 1e6:.1f}",
        bound=_BOUND_MB,
    )


class _Lines(str):
    """A text of ours whose line breaks are meant; it is escaped all the same."""


def _raw_text(text: str) -> str:
    return _Lines(text)


def _safe(value: str) -> bool:
    return hasattr(value, "__html__") or isinstance(value, _Lines)


def _counts(page: Page) -> dict[str, int]:
    manifest = page.manifest
    return {
        "promised": len(manifest.promised),
        "done": len(page.figures),
        "bad": len({n for p in page.problems for n in p.frames}),
    }


def _data(folder: Path, page: Page) -> dict[str, Any]:
    plate = page.manifest.plate
    figures = {one.number: one for one in page.figures}
    bad = {n: problem.kind for problem in page.problems for n in problem.frames}
    rules: dict[int, list[int]] = {}
    for place, rule in enumerate(page.rules):
        for number in rule.frames:
            rules.setdefault(number, []).append(place)
    promised = page.manifest.promised
    every = FrameRange.of({*promised, *figures})
    return {
        "aspect": plate.width * plate.pixel_aspect / plate.height,
        "width": plate.width,
        "height": plate.height,
        "pixel_aspect": plate.pixel_aspect,
        "comp": "#" + "".join(f"{round(255 * c):02x}" for c in COMP_COLOUR),
        "rate": _rate(page),
        "play": _own_rate(page),
        "film": list(page.film_frames),
        "rules": [
            {"id": printable(rule.id), "kind": rule.kind, "frames": str(rule.frames)}
            for rule in page.rules
        ],
        "worst": [_suspect(one) for one in page.suspects],
        "frames": [
            _frame(folder, page, number, figures.get(number), bad.get(number, ""))
            | ({"r": rules[number]} if number in rules else {})
            for number in every
        ],
    }


def _rate(page: Page) -> float:
    step = len(page.manifest.promised.numbers) / max(1, len(page.film_frames))
    return _own_rate(page) / max(1, round(step))


def _own_rate(page: Page) -> float:
    return float(page.manifest.plate.rate or 24)


def _frame(
    folder: Path, page: Page, number: int, figures: Figures | None, bad: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"n": number}
    record = page.manifest.frames.get(number)
    if bad:
        told["bad"] = bad
    if record is not None and record.state in (FrameState.FAILED, FrameState.QUARANTINED):
        told["error"] = printable(record.error)
    if figures is not None:
        names = ("unknown", "overruled", "flicker", "confidence", "seconds")
        values = {name: getattr(figures, name) for name in names} | dict(figures.faults)
        told["f"] = {n: round(v, _DIGITS) for n, v in values.items() if v is not None}
    if record is not None and "centre" in record.statistics:
        told["x"] = round(record.statistics["centre"] / page.manifest.plate.width, 3)
    if number in page.sprites:
        told["p"] = page.sprites[number].name
    pictures = {**page.full.get(number, {}), **page.compared.get(number, {})}
    pixels = pictures.pop("values", None)
    if pixels is not None:
        told["v"] = pixels.relative_to(folder).as_posix()
    if pictures:
        told["u"] = {k: path.relative_to(folder).as_posix() for k, path in pictures.items()}
    return told


def _suspect(one: Suspect) -> dict[str, Any]:
    told: dict[str, Any] = {"severe": True} if one.severity >= 1 else {}
    return told | {"n": one.number, "reasons": [_reason(reason) for reason in one.reasons]}


def _reason(reason: Reason) -> dict[str, Any]:
    return {"text": reason.text, "box": _corners(reason.box)}


def _corners(box: Box | None) -> list[int] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]
