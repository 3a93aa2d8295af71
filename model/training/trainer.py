"""The training loop: compose, step, average, log, checkpoint; resumes where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.adamatting import AdaMatting
from model.losses import MultiTaskLoss
from model.training import banks as bank_files
from model.training.compose import compose
from model.training.recipe import Recipe

__all__ = ["Trainer"]

_LOG_EVERY = 20


class Trainer:
    """One training run.

    Args:
        recipe: what to do.
        device: where to do it.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        torch.manual_seed(recipe.seed)
        self.network = AdaMatting(recipe.config).to(device)
        if recipe.start is not None:
            self.network.load_state_dict(load_file(recipe.start, device=str(device)))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = MultiTaskLoss(fixed_weight=recipe.fixed_weight, laplacian=recipe.laplacian)
        self.loss.to(device)
        parameters = [*self.network.parameters(), *self.loss.parameters()]
        self.optimiser = torch.optim.Adam(
            parameters, lr=recipe.rate, betas=(0.9, 0.999), weight_decay=recipe.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._factor)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.step = 0

    def _factor(self, step: int) -> float:
        """Poly policy of section 4.1: (1 − step / steps)^0.9, after a linear warm-up."""
        warm = min(1.0, (step + 1) / (self.recipe.warm_up + 1))
        return float(warm * max(0.0, 1 - step / self.recipe.steps) ** 0.9)

    def run(self, *, seconds: float = float("inf"), report: Callable[[str], None] = print) -> None:
        """Train until the recipe's steps are done, or for that many seconds.

        Args:
            seconds: wall time after which to save and stop.
            report: takes one line of progress every `_LOG_EVERY` steps.
        """
        recipe = self.recipe
        recipe.out.mkdir(parents=True, exist_ok=True)
        self.resume()
        banks = bank_files.load(recipe.banks).to(self.device)
        forward = torch.compile(self.network) if recipe.compiled else self.network
        started = time.monotonic()
        compose_s = 0.0
        sums: dict[str, Tensor] = {}
        while self.step < recipe.steps and time.monotonic() - started < seconds:
            generator = torch.Generator(self.device)
            generator.manual_seed(recipe.seed * 1_000_003 + self.step)
            before = time.monotonic()
            batch = compose(banks, recipe.batch, recipe.synthesis, generator)
            compose_s += time.monotonic() - before
            with torch.autocast(
                self.device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bf16"
            ):
                prediction = forward(
                    batch.image.contiguous(memory_format=torch.channels_last),
                    batch.trimap.contiguous(memory_format=torch.channels_last),
                )
            total, parts = self.loss(prediction, batch.optimal, batch.alpha)
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.schedule.step()
            self.step += 1
            self._average()
            for name, part in parts.items():
                sums[name] = sums.get(name, torch.zeros((), device=self.device)) + part
            if self.step % _LOG_EVERY == 0:
                report(self._log(sums, started, compose_s))
                sums = {}
            if self.step % recipe.save_every == 0:
                self.save()
        self.save()

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of weights and batch statistics, faster at the start."""
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def _log(self, sums: dict[str, Tensor], started: float, compose_s: float) -> str:
        record = {
            "step": self.step,
            "rate": self.schedule.get_last_lr()[0],
            "elapsed_s": round(time.monotonic() - started, 1),
            "compose_s": round(compose_s, 1),
            **{name: round(float(value) / _LOG_EVERY, 5) for name, value in sums.items()},
        }
        line = json.dumps(record)
        with (self.recipe.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        return line

    def save(self) -> None:
        """Write `state.safetensors` (to resume) and `average.safetensors` (to use)."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        tensors |= {f"loss.{k}": v for k, v in self.loss.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{k}": v for k, v in state.items()}
        tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        _replace(self.recipe.out / "state.safetensors", tensors, {"step": str(self.step)})
        metadata = {"config": json.dumps(self.recipe.config.as_dict()), "step": str(self.step)}
        average = {k: v.detach().cpu().contiguous() for k, v in self.average.items()}
        _replace(self.recipe.out / "average.safetensors", average, metadata)

    def resume(self) -> None:
        """Go on from `state.safetensors` in the run's folder, if there is one."""
        path = self.recipe.out / "state.safetensors"
        if not path.exists():
            return
        groups: dict[str, dict[str, Tensor]] = {
            "network": {},
            "average": {},
            "loss": {},
            "adam": {},
        }
        for key, value in load_file(path, device=str(self.device)).items():
            group, name = key.split(".", 1)
            groups[group][name] = value
        self.network.load_state_dict(groups["network"])
        self.loss.load_state_dict(groups["loss"])
        self.average = groups["average"]
        self._resume_adam(groups["adam"])

    def _resume_adam(self, tensors: dict[str, Tensor]) -> None:
        adam: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, part = name.split(".")
            adam.setdefault(int(index), {})[part] = value.cpu() if part == "step" else value
        settings = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": adam, "param_groups": settings})
        self.step = int(next(iter(adam.values()))["step"]) if adam else 0
        self.schedule.last_epoch = self.step
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * self._factor(self.step)


def _replace(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    temporary = path.with_suffix(".part")
    save_file(tensors, temporary, metadata)
    temporary.replace(path)
