"""The ablations of the paper's section 5 at one equal budget: train each variant, measure, tell.

    python -m model.evaluation.ablation RECIPE.toml --bench DIR [--bench DIR …] [--only NAME …]

The recipe is the budget: every variant takes as many steps, on the same batches. What is trained is
not trained again, so that the command goes on where it was stopped.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import torch

from model.evaluation.evaluate import evaluate
from model.evaluation.results import OURS, Total
from model.matter import Matter
from model.training.recipe import Recipe, read_recipe
from model.training.trainer import Trainer

Change = dict[str, Any]

_VARIANTS: Final[dict[str, Change]] = {
    "full": {},
    "without propagation unit": {"ablate": {"propagation": False}},
    "without T-decoder": {"ablate": {"trimap_decoder": False}},
    "two-stage (Seq-AdaMatting)": {"ablate": {"shared_encoder": False}},
    **{f"fixed weight σ = {s}": {"fixed_weight": s} for s in (0.2, 0.4, 0.6, 0.8, 1.0)},
    "without global convolutions": {"ablate": {"global_convolutions": False}},
    "without sub-pixel convolution": {"ablate": {"subpixel": False}},
    "without our colour planes": {"ablate": {"colour_planes": False}},
}
"""What each variant changes in the recipe; the first is what the others are compared with."""

Report = Callable[[str], None]


def train(recipe: Recipe, name: str, *, report: Report) -> Path:
    """Train one variant with the recipe's budget, in a folder of its own; its weights.

    Args:
        recipe: the budget; its `ablate` holds for all variants.
        name: of `_VARIANTS`.
        report: takes lines of progress.
    """
    change = _VARIANTS[name]
    folder = recipe.out / name.replace(" ", "-")
    variant = recipe.model_copy(
        update={**change, "ablate": recipe.ablate | change.get("ablate", {}), "out": folder}
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    Trainer(variant, device).run(report=lambda line: report(f"{name}: {line}"))
    return folder / "average.safetensors"


def measure(weights: Path, benches: Iterable[Path], trimap: str) -> dict[str, Total]:
    """Errors of weights on each benchmark, by its name; kept beside the weights.

    Args:
        weights: of a variant.
        benches: folders as `adamatte evaluate` reads them.
        trimap: the kind of trimap.
    """
    matter = Matter(str(weights))
    found = {}
    for bench in benches:
        result = evaluate(bench, matter, trimap=trimap)
        kept = weights.with_name(f"{bench.name}-{trimap}.json")
        kept.write_text(json.dumps(result.as_dict()), encoding="utf-8")
        found[bench.name] = result.total(OURS)
    return found


def table(found: dict[str, dict[str, Total]]) -> str:
    """Markdown: a row for each variant and benchmark."""
    lines = [
        "| variant | bench | SAD | MSE | Grad | Conn | Acc % | mIoU |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, by_bench in found.items():
        for bench, one in by_bench.items():
            errors = f"{one.sad:.2f} | {one.mse:.4f} | {one.grad:.2f} | {one.conn:.2f}"
            adapted = f"{_percent(one.accuracy)} | {_percent(one.mean_iou)}"
            lines.append(f"| {name} | {bench} | {errors} | {adapted} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and measure what is named, and print the table as it grows."""
    parser = argparse.ArgumentParser(prog="python -m model.evaluation.ablation")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--bench", type=Path, action="append", required=True)
    parser.add_argument("--trimap", default="trimap")
    parser.add_argument("--only", choices=_VARIANTS, action="append")
    asked = parser.parse_args(arguments)
    recipe = read_recipe(asked.recipe)
    found: dict[str, dict[str, Total]] = {}
    for name in asked.only or _VARIANTS:
        weights = train(recipe, name, report=lambda line: _say(sys.stderr, line))
        found[name] = measure(weights, asked.bench, asked.trimap)
        _say(sys.stdout, table(found) + "\n")
    return 0


def _say(where: TextIO, text: str) -> None:
    where.write(text + "\n")
    where.flush()


if __name__ == "__main__":
    sys.exit(main())
