"""What stabilisation takes from the error, on rendered shots with their true alpha.

    python -m workers.stabilise_bench [KIND …]

320 × 180, 10 frames, seed 1, the bundled network, trimaps of a coarse mask. Prints a table of dtSSD
over all pixels, and MSE over the unknown ones, without and with, in the units of `evaluate`.
"""

from __future__ import annotations

import sys

import numpy as np

from model import Matter
from model.evaluation.metrics import dtssd, mse
from plugin.edges import softness_of
from plugin.stabilise import stabilise
from plugin.stabilise_flow import Flows, RawFrame
from plugin.stabilise_plan import StabilisePlan
from plugin.synthetic import ShotKind, SyntheticShot, render
from plugin.trimap import GROWTH, trimap_from_mask
from plugin.types import UNKNOWN, Mask

__all__ = ["main", "measure"]

KINDS = ("static", "pan", "fast", "wind", "blur", "occlusion")
FRAMES = 10


def measure(
    kind: ShotKind, matter: Matter, frames: int = FRAMES
) -> tuple[list[float], list[float]]:
    """Flicker (dtSSD) and MSE of the raw alphas, and of the stabilised ones."""
    shot = SyntheticShot(kind=kind, seed=1, width=320, height=180, frames=frames)
    truths, labels, raws = [], [], []
    for number in range(frames):
        frame = render(shot, number)
        picture = np.rint(frame.plate_rgb * 255).astype(np.uint8)
        rgb = picture.astype(np.float32) / np.float32(255)
        mask = Mask(number, frame.mask.astype(np.float32) / np.float32(255))
        soft = softness_of(rgb, mask)
        trimap = trimap_from_mask(
            mask, erode=8, dilate=12, height=180, softness=soft, growth=GROWTH["auto"]
        ).labels
        _, alpha = matter(rgb, trimap)
        region = (trimap == UNKNOWN) | ((alpha > 0) & (alpha < 1))
        truths.append(frame.alpha)
        labels.append(trimap)
        raws.append(RawFrame(number, picture, alpha, region))
    plan, flows = StabilisePlan(radius=2, frames=f"0-{frames - 1}"), Flows(24)
    steady = [stabilise(raw, [raws[n] for n in plan.around(raw.number)], flows) for raw in raws]

    def errors(alphas: list[np.ndarray]) -> list[float]:
        each = [mse(a, t, u) for a, t, u in zip(alphas, truths, labels, strict=True)]
        return [dtssd(alphas, truths), float(np.mean(each))]

    return errors([raw.alpha for raw in raws]), errors(steady)


def main() -> None:
    """Print the table."""
    matter = Matter("lite", device="cpu")
    sys.stdout.write("| shot | dtSSD | stabilised | MSE | stabilised |\n" + "| --- " * 5 + "|\n")
    for kind in sys.argv[1:] or KINDS:
        raw, steady = measure(ShotKind(kind), matter)
        figures = f"{raw[0]:.2f} | {steady[0]:.2f} | {raw[1]:.4f} | {steady[1]:.4f}"
        sys.stdout.write(f"| {kind} | {figures} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
