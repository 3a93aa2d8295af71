"""What a training run's weights are worth: exported, and measured on benches."""

from collections.abc import Callable, Sequence
from pathlib import Path

from model.evaluation.evaluate import evaluate
from model.evaluation.results import OURS
from model.export.weights import export_weights
from model.matter import Matter
from model.training.recipe import read_recipe

_TRIMAPS = ("trimap", "large")


def measure_run(config: Path, benches: Sequence[Path], report: Callable[[str], None]) -> None:
    """Export the weights of a recipe's run, and say what they do on each bench.

    Args:
        config: the recipe, a TOML file, whose run has saved its weights.
        benches: folders; each is measured with its narrow trimaps and its large ones.
        report: takes lines.

    Raises:
        RequestError: the recipe, the weights or a bench cannot be read.
    """
    recipe = read_recipe(config)
    exported = export_weights(
        [recipe.out / "average.safetensors"], recipe.out / f"{recipe.network}.safetensors"
    )
    report(f"{exported.path}  sha256 {exported.sha256}")
    matter = Matter(str(exported.path))
    for bench in benches:
        for kind in _TRIMAPS:
            total = evaluate(bench, matter, trimap=kind).total(OURS)
            errors = f"SAD {total.sad:.2f} MSE {total.mse:.4f} Grad {total.grad:.2f}"
            report(f"{bench.name} {kind}: {errors}")
