"""The training loop: steps, their running average, log and checkpoints; resumes where it was."""

import json
import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.adamatting import AdaMatting
from model.losses import MultiTaskLoss
from model.training import banks as bank_files
from model.training.banks import Banks
from model.training.recipe import Recipe
from model.training.step import PARTS, TrainingStep
from plugin.errors import ShotError

_SAVE_SECONDS = 60.0
_AHEAD = 2  # steps that the host may be ahead of a GPU


class Trainer:
    """One training run."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        torch.manual_seed(recipe.seed)
        self.network = AdaMatting(recipe.config).to(device)
        if recipe.start is not None:
            self.network.load_state_dict(load_file(recipe.start, device=str(device)))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = MultiTaskLoss(
            fixed_weight=recipe.fixed_weight, laplacian=recipe.laplacian, sigmas=recipe.sigmas
        ).to(device)
        self.rates = [recipe.rate, recipe.sigma_rate or recipe.rate]
        self.optimiser = self._adam()
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.step = 0

    def _adam(self) -> torch.optim.Adam:
        """Adam over the network's weights and the loss's σ; on a GPU it never asks the host."""
        on_gpu = self.device.type == "cuda"
        groups = [
            {"params": list(module.parameters()), "lr": torch.tensor(rate, device=self.device)}
            for module, rate in zip((self.network, self.loss), self.rates, strict=True)
        ]
        return torch.optim.Adam(
            groups,
            betas=(0.9, 0.999),
            weight_decay=self.recipe.weight_decay,
            capturable=on_gpu,
            fused=on_gpu or None,
            foreach=None if on_gpu else False,
        )

    def _set_rate(self, progress: float) -> None:
        """Poly policy of section 4.1, (1 − progress)^0.9, after a linear warm-up."""
        warm = min(1.0, (self.step + 1) / (self.recipe.warm_up + 1))
        factor = warm * max(0.0, 1 - progress) ** 0.9
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"].fill_(rate * factor)

    def run(
        self,
        *,
        seconds: float = math.inf,
        report: Callable[[str], None] = print,
        banks: Banks | None = None,
        supply: Callable[[], object] = lambda: None,
        log_seconds: float = 10.0,
    ) -> None:
        """Train for the recipe's steps, or for that many seconds.

        Args:
            seconds: when they are over the learning rate has fallen to zero, on any machine.
            report: takes lines of progress.
            banks: instead of those that the recipe names.
            supply: called between steps; may put new pictures into the banks.
            log_seconds: between lines of progress, as far as steps allow.
        """
        recipe = self.recipe
        recipe.out.mkdir(parents=True, exist_ok=True)
        self.resume()
        if banks is None:
            banks = bank_files.load(_named(recipe)).to(self.device)
        generator = self._generator()
        one_step = TrainingStep(
            network=self.network,
            loss=self.loss,
            optimiser=self.optimiser,
            banks=banks,
            recipe=recipe,
            generator=generator,
        )
        clock = _Clock(self.device)
        log = _Log(recipe, one_step, clock, report, log_seconds)
        saved = time.monotonic()
        while self.step < recipe.steps and clock.seconds < seconds:
            by_clock = 0.0 if seconds == math.inf else clock.seconds / seconds
            self._set_rate(max(by_clock, self.step / recipe.steps))
            if self.device.type != "cuda":
                generator.manual_seed(recipe.seed * 1_000_003 + self.step)
            supply()
            with clock:
                one_step()
                self.step += 1
                self._average()
            log.tell(self.step)
            if time.monotonic() - saved > _SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        log.tell(self.step, last=True)
        self.save()

    def _generator(self) -> torch.Generator:
        """A CUDA graph records draws of its device's default generator."""
        if self.device.type == "cuda":
            torch.cuda.manual_seed(self.recipe.seed * 1_000_003 + self.step)
            return torch.cuda.default_generators[self.device.index or 0]
        return torch.Generator(self.device)

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of weights and batch statistics, faster at the start."""
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        state = self.network.state_dict()
        floats = [name for name, value in state.items() if value.dtype.is_floating_point]
        torch._foreach_lerp_(
            [self.average[name] for name in floats], [state[name] for name in floats], 1 - decay
        )
        for name in state.keys() - set(floats):
            self.average[name].copy_(state[name])

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

    def resume(self) -> int:
        """Go on from `state.safetensors` in the run's folder, if there is one; at which step."""
        path = self.recipe.out / "state.safetensors"
        if not path.exists():
            return self.step
        groups: defaultdict[str, dict[str, Tensor]] = defaultdict(dict)
        for key, value in load_file(path, device=str(self.device)).items():
            group, name = key.split(".", 1)
            groups[group][name] = value
        self.network.load_state_dict(groups["network"])
        self.loss.load_state_dict(groups["loss"])
        self.average = groups["average"]
        self._resume_adam(groups["adam"])
        return self.step

    def _resume_adam(self, tensors: dict[str, Tensor]) -> None:
        adam: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, part = name.split(".")
            adam.setdefault(int(index), {})[part] = value
        settings = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": adam, "param_groups": settings})
        self.step = int(next(iter(adam.values()))["step"]) if adam else 0


class _Clock:
    """Wall time, and on a GPU the share of it that steps kept it busy.

    As a context it holds a step: the host waits there until the GPU is no more than `_AHEAD` steps
    behind, so that a rate by the clock means what it says.
    """

    def __init__(self, device: torch.device) -> None:
        self._started = time.monotonic()
        self._on_gpu = device.type == "cuda"
        self._flying: deque[tuple[torch.cuda.Event, torch.cuda.Event]] = deque()
        self.busy = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def __enter__(self) -> None:
        if self._on_gpu:
            first, last = _event(), _event()
            first.record()
            self._flying.append((first, last))

    def __exit__(self, *_error: object) -> None:
        if not self._on_gpu:
            return
        self._flying[-1][1].record()
        if len(self._flying) > _AHEAD:
            first, last = self._flying.popleft()
            last.synchronize()
            self.busy += first.elapsed_time(last) / 1000


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


class _Log:
    """Lines of JSON, to the run's `log.jsonl` and to whoever listens."""

    def __init__(
        self,
        recipe: Recipe,
        step: TrainingStep,
        clock: _Clock,
        report: Callable[[str], None],
        every: float,
    ) -> None:
        self._recipe, self._step, self._clock, self._report = recipe, step, clock, report
        self._every = every
        self._told = (0.0, 0.0)
        self._steps = 0

    def tell(self, step: int, *, last: bool = False) -> None:
        self._steps += 1 - last
        now, busy = self._clock.seconds, self._clock.busy
        seconds = now - self._told[0]
        if self._steps == 0 or (seconds < self._every and not last):
            return
        means = (self._step.sums / self._steps).tolist()
        if not all(map(math.isfinite, means)):
            raise ShotError(
                f"the loss is not finite at step {step}",
                where=self._recipe.out,
                fix="begin again from the checkpoint there with a lower rate",
            )
        record = {
            "step": step,
            "rate": float(self._step.optimiser.param_groups[0]["lr"]),
            "elapsed_s": round(now, 1),
            "samples_per_s": round(self._steps * self._recipe.batch / seconds, 1),
            "busy": round((busy - self._told[1]) / seconds, 3),
            **dict(zip(PARTS, (round(mean, 5) for mean in means), strict=True)),
        }
        if self._step.recorded:
            record["gib"] = round(torch.cuda.max_memory_reserved() / 2**30, 1)
        line = json.dumps(record)
        with (self._recipe.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        self._report(line)
        self._told, self._steps = (now, busy), 0
        self._step.sums.zero_()


def _named(recipe: Recipe) -> Path:
    if recipe.banks is None:
        fix = "name `banks` in the recipe, or give the pictures to pack"
        raise ShotError("no pictures to train on", where="recipe", fix=fix)
    return recipe.banks


def _replace(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    temporary = path.with_suffix(".part")
    save_file(tensors, temporary, metadata)
    temporary.replace(path)
