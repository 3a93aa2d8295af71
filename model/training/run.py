"""`adamatte train`, behind its options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from model.inference.device import choose_device
from model.training.recipe import read_recipe
from model.training.trainer import Trainer

__all__ = ["train"]


def train(
    config: Path,
    *,
    device: str = "auto",
    minutes: float | None = None,
    report: Callable[[str], None] = print,
) -> int:
    """Train as a recipe says, from where an earlier run of it stopped.

    Args:
        config: the recipe, a TOML file.
        device: `auto`, `cpu` or `cuda`.
        minutes: save and stop after that long; None trains to the recipe's end.
        report: takes a line of JSON every few steps.

    Returns:
        The step that was reached.

    Raises:
        ShotError: the recipe is wrong.
        DeviceError: there is no such device.
    """
    recipe = read_recipe(config)
    trainer = Trainer(recipe, torch.device(choose_device(device)))
    trainer.run(seconds=float("inf") if minutes is None else minutes * 60, report=report)
    return trainer.step
