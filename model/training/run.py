"""`adamatte train`, behind its options: a run from banks, or from pictures."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

from model.inference.device import choose_device
from model.training.banks import Banks, gather, matte_tensors
from model.training.mattes import Rendering
from model.training.recipe import read_recipe
from model.training.trainer import Trainer
from plugin.errors import SurroundingsError

Report = Callable[[str], None]


def train(
    config: Path,
    *,
    device: str = "auto",
    minutes: float | None = None,
    pictures: Path | None = None,
    report: Report = print,
) -> int:
    """Train as a recipe says, from where an earlier run of it stopped.

    Args:
        config: the recipe, a TOML file.
        device: `auto`, `cpu` or `cuda`.
        minutes: from the call on; when they are over the rate has fallen to zero and the run is
            saved. None trains for the recipe's steps.
        pictures: a folder as `pack` reads it, instead of the recipe's banks; mattes go on being
            rendered beside the training.
        report: takes lines of progress.

    Returns:
        The step that was reached.

    Raises:
        ShotError: the recipe is wrong, or there are no pictures.
        DeviceError: there is no such device.
    """
    started = time.monotonic()
    trainer = Trainer(read_recipe(config), torch.device(choose_device(device)))

    def left() -> float:
        return float("inf") if minutes is None else minutes * 60 - (time.monotonic() - started)

    if pictures is None:
        trainer.run(seconds=left(), report=report)
    else:
        _train_on(pictures, trainer, left, report)
    return trainer.step


def _train_on(pictures: Path, trainer: Trainer, left: Callable[[], float], report: Report) -> None:
    recipe = trainer.recipe
    # Another stretch of the run sees other mattes.
    seed = 10_000_000 * (1 + recipe.seed) + 100 * trainer.resume()
    began = time.monotonic()
    banks = gather(pictures, size=recipe.size, mattes=recipe.mattes, seed=seed)
    banks = banks.with_room(recipe.room).to(trainer.device)
    report(
        f"{len(banks.cutouts)} cut-outs, {len(banks.photos)} photographs and {recipe.mattes} "
        f"mattes in {time.monotonic() - began:.0f} s"
    )
    workers = max(1, (os.cpu_count() or 1) - 2)
    with Rendering(recipe.size, seed + recipe.mattes, workers=workers) as rendering:
        fresh = _Fresh(rendering, banks, seed, report)
        trainer.run(seconds=left(), report=report, banks=banks, supply=fresh)
    report(f"{fresh.count} more mattes were rendered meanwhile")


class _Fresh:
    """Puts mattes into the bank as they are ready, in the place of the oldest."""

    def __init__(self, rendering: Rendering, banks: Banks, seed: int, report: Report) -> None:
        self._rendering, self._banks, self._seed, self._report = rendering, banks, seed, report
        self._ended = False
        self.count = 0

    def __call__(self) -> None:
        if self._ended or not self._rendering.ready:
            return
        try:
            rendered = next(self._rendering)
        except SurroundingsError as error:  # the mattes that are there are enough to go on with
            self._ended = True
            self._report(str(error))
            return
        self._banks.put_mattes(self.count, matte_tensors(rendered, self._seed + self.count))
        self.count += len(rendered)
