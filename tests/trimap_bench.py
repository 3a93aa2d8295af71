"""How much of what is truly mixed each way to a trimap keeps unknown, and what that costs.

    python -m tests.trimap_bench --seeds 2 --step 8

Renders shots with their true alpha, makes masks of them by every method that has what it needs,
bands in every width, and prints a table: the share of mixed pixels (0.01 < α < 0.99; and strictly
0 < α < 1 to 16 bits, which is Eq. 2 of the paper) that lie in the unknown region, the share of the
frame that is unknown, and how wide that is along the subject's edge.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.segmentation import build, prepare, run_first
from plugin.synthetic.render import render
from plugin.synthetic.shot import ShotKind, SyntheticFrame, SyntheticShot
from plugin.trimap.source import TrimapSource, plan_trimaps
from plugin.types import UNKNOWN, FloatArray, Frame, PlateInfo, PlateKind, Window

METHODS = ("mask", "roto", "chroma", "clean-plate", "track")
"""`mask`: coarse, without loose hair; `roto`: α > 0.5; `track`: such keys, 24 frames apart."""

BANDS = ("fixed", "auto", "wide")
FIRST, _LENGTH = 1001, 25


@dataclass(frozen=True, slots=True)
class Row:
    """What one method and band come to, mean over frames.

    Attributes:
        kept: share of the pixels with 0.01 < α < 0.99 that are unknown.
        strict: the same of those with 0 < α < 1.
        unknown: share of the frame.
        mixed: share of the frame that truly is mixed.
        width: mean width of the unknown region along the edge of α = 0.5, pixels of a 1080p frame.
        needed: how far the band must reach to each side of the mask's edge to hold 99.9 % of the
            pixels with 0.01 < α < 0.99, pixels of a 1080p frame; the same for every band.
        price: share of the frame that such a band would make unknown.
    """

    kept: float
    strict: float
    unknown: float
    mixed: float
    width: float
    needed: float
    price: float


class SyntheticPlate:
    """A synthetic shot as a plate, 8 bit, rendered when read."""

    def __init__(self, shot: SyntheticShot) -> None:
        self.shot = shot
        window = Window.of_size(shot.width, shot.height)
        self.info = PlateInfo(
            path=shot.name,
            kind=PlateKind.SEQUENCE,
            frames=FrameRange.span(FIRST, FIRST + shot.frames - 1),
            data_window=window,
            display_window=window,
            pixel_aspect=1.0,
            codec="png",
            pixel_format="uint8",
            bits=8,
            colour="srgb_rec709_display",
        )
        self.truth = lru_cache(maxsize=_LENGTH)(self._render)

    def _render(self, number: int) -> SyntheticFrame:
        return render(self.shot, number - FIRST)

    def read(self, number: int) -> Frame:
        """See `plugin.types.PlateSource`."""
        return Frame(
            number, _bytes(self.truth(number).plate_rgb).astype(np.float32) / np.float32(255)
        )

    def digest(self, number: int) -> str:
        """See `plugin.types.PlateSource`."""
        return f"{self.shot} {number}"

    def close(self) -> None:
        """Nothing is open."""


def measure(
    shots: Sequence[SyntheticShot],
    methods: Sequence[str] = METHODS,
    bands: Sequence[str] = BANDS,
    step: int = 8,
) -> dict[tuple[str, str], Row]:
    """Table of rows by method and band.

    Args:
        shots: what to render.
        methods: of `METHODS`; those that a shot has nothing for are left out for it.
        bands: of `BANDS`.
        step: every so many frames are measured, the first among them.
    """
    found: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for shot in shots:
        plate = SyntheticPlate(shot)
        frames = FrameRange.parse(f"{FIRST}-{plate.info.frames.last}x{step}")
        for method in methods:
            if (method == "chroma") != shot.direction.screen and method in (
                "chroma",
                "clean-plate",
            ):
                continue
            with tempfile.TemporaryDirectory() as folder:
                for band, row in _rows(plate, method, bands, frames, Path(folder)):
                    found[method, band].append(row)
    return {
        key: Row(*(float(value) for value in np.mean(rows, axis=0)))
        for key, rows in sorted(found.items(), key=lambda item: METHODS.index(item[0][0]))
    }


def _rows(
    plate: SyntheticPlate, method: str, bands: Sequence[str], frames: FrameRange, folder: Path
) -> Iterator[tuple[str, list[float]]]:
    shot = _shot(plate, method, frames, folder)
    plan = run_first(prepare(shot, plate, _as_is), shot, plate, _as_is, folder / "track")
    segmenter = build(plan, plate.info)
    sources = {
        band: TrimapSource(
            plan_trimaps(shot.model_copy(update={"band": band}), plate.info), plate.info
        )
        for band in bands
    }
    for number in frames:
        if method == "track" and (number - FIRST) % 24 == 0:
            continue  # its own key
        frame = plate.read(number)
        mask = segmenter.segment(frame)
        for band, source in sources.items():
            labels = source.trimap(number, mask, frame.rgb).labels
            alpha = plate.truth(number).alpha
            yield band, [*_figures(labels == UNKNOWN, alpha), *_needed(mask.coverage, alpha)]


def _shot(plate: SyntheticPlate, method: str, frames: FrameRange, folder: Path) -> Shot:
    """The job, its masks, keys or clean plates written into the folder."""
    base = Shot(plate="p", out=folder, frames=frames)
    numbers = frames.numbers
    if method == "track":
        numbers = tuple(n for n in plate.info.frames if (n - FIRST) % 24 == 0)
    for number in numbers:
        truth = plate.truth(number)
        pictures = {"clean-plate": _bytes(truth.background)[..., ::-1], "mask": truth.mask}
        hard = np.where(truth.alpha > 0.5, 255, 0).astype(np.uint8)
        cv2.imwrite(str(folder / f"in.{number}.png"), pictures.get(method, hard))
    pattern = str(folder / "in.%04d.png")
    updates: dict[str, dict[str, object]] = {
        "mask": {"segment": "mask", "mask": pattern},
        "roto": {"segment": "mask", "mask": pattern},
        "chroma": {"segment": "chroma"},
        "clean-plate": {"segment": "clean-plate", "clean_plate": pattern},
        "track": {
            "segment": "track",
            "keyframe": tuple(f"{n}={folder}/in.{n}.png" for n in numbers),
        },
    }
    return base.model_copy(update=updates[method])


def _figures(unknown: np.ndarray, alpha: FloatArray) -> list[float]:
    mixed = (alpha > 0.01) & (alpha < 0.99)
    strict = (alpha > 0.5 / 65535) & (alpha < 1 - 0.5 / 65535)
    contours, _ = cv2.findContours(
        (alpha > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    # Along the outline of the subject without its single hairs, else hair would count as edge.
    smooth = [c for c in contours if len(c) > 0.5 * alpha.shape[0]] or list(contours)
    length = sum(cv2.arcLength(cv2.approxPolyDP(c, 3, True), True) for c in smooth)
    width = float(unknown.sum()) / max(length, 1.0) * 1080 / alpha.shape[0]
    return [
        float(unknown[mixed].mean()),
        float(unknown[strict].mean()),
        float(unknown.mean()),
        float(mixed.mean()),
        width,
    ]


def _needed(mask: FloatArray, alpha: FloatArray) -> tuple[float, float]:
    inside = (mask > 0.5).astype(np.uint8)
    if inside.all() or not inside.any():
        return float("inf"), 1.0
    within, beyond = (cv2.distanceTransform(s, cv2.DIST_L2, 5) for s in (inside, 1 - inside))
    far = within + beyond
    needed = float(np.percentile(far[(alpha > 0.01) & (alpha < 0.99)], 99.9))
    return needed * 1080 / alpha.shape[0], float((far <= needed).mean())


def _bytes(values: FloatArray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)


def _as_is(rgb: FloatArray) -> FloatArray:
    return rgb


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.trimap_bench")
    parser.add_argument("--kinds", nargs="*", default=[str(kind) for kind in ShotKind])
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    parser.add_argument("--seeds", type=int, default=2, help="so many seeds, from 0")
    parser.add_argument("--step", type=int, default=8, help="every so many of the 25 frames")
    parser.add_argument("--height", type=int, default=360)
    asked = parser.parse_args(arguments)
    width = round(asked.height * 8 / 9) * 2
    shots = [
        SyntheticShot(ShotKind(kind), seed, width=width, height=asked.height, frames=_LENGTH)
        for kind in asked.kinds
        for seed in range(asked.seeds)
    ]
    out = ["| method | band | kept | 0 < α < 1 | unknown | truly mixed | width | 99.9 % needs |"]
    out.append("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    out += [
        f"| {method} | {band} | {row.kept:.1%} | {row.strict:.1%} | {row.unknown:.1%} |"
        f" {row.mixed:.1%} | {row.width:.0f} px | {row.needed:.0f} px, {row.price:.0%} |"
        for (method, band), row in measure(shots, asked.methods, step=asked.step).items()
    ]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
