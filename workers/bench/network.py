"""The network alone: what a call costs by size and unknown share, several calls in turns."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model import Matter as NetworkMatter
from plugin.driver.probe import anchored, probe_job
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.synthetic.loads import framed, load_frame, load_trimap
from plugin.types import UNKNOWN, FloatArray, LabelArray, Matter
from workers.bench.child import peak_bytes
from workers.raw_alphas import RawAlphas
from workers.stage_clock import Stages

_LONG_S = 20.0
"""A call that takes longer is timed twice at most, one of three times that once."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The best of a few: others on the machine only ever add.

    Attributes:
        wall: seconds.
        cpu: seconds of all processors in this process.
    """

    wall: float
    cpu: float


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timed]:
    """Time every call once a round; the best of each counts."""
    best: dict[str, Timed] = {}
    for done in range(rounds):
        for name, call in calls.items():
            known = best.get(name)
            if known is not None and (known.wall * done > 2 * _LONG_S or known.wall > 3 * _LONG_S):
                continue
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if known is not None:
                wall, cpu = min(wall, known.wall), min(cpu, known.cpu)
            best[name] = Timed(wall, cpu)
    return best


def slope(times: list[float], tail: int) -> float:
    """Seconds a frame in the steady middle of a run, by when its results came.

    The first result comes after the networks of its neighbours too, and the last ones wait for none
    any more: so time runs from the first result to the last but `tail`.

    Args:
        times: of the results, ascending, two at least.
        tail: results at the end that are left out, where enough are left.
    """
    last = len(times) - 1 - tail
    if last < 1:
        last = len(times) - 1
    return (times[last] - times[0]) / last


_Input = tuple[FloatArray, LabelArray]

_YARD = 96
"""Side of the yardstick's planes, pixels."""


def key_of(size: str, unknown: float, how: str = "") -> str:
    """The name of a call: `1080p 10 %`, `1080p 10 % whole frame`."""
    return " ".join(filter(None, [size, f"{unknown:g} %", how]))


def measure(
    *,
    sizes: Sequence[tuple[str, int, int]],
    unknown: Sequence[float],
    main: str,
    share: float,
    rounds: int,
    model: str,
    device: str,
) -> dict[str, Any]:
    """Time every size with every share; the main size also as a whole, and within a larger frame.

    The calls take turns, so that a machine that slows down slows all of them.

    Returns:
        By name of the call: `wall` and `cpu`, the best of the rounds, seconds. `yardstick` is a
        fixed piece of arithmetic that takes its turn too.
    """
    matter = NetworkMatter(model, device=device)
    whole = NetworkMatter(model, device=device, tile="off")
    calls: dict[str, Callable[[], object]] = {"yardstick": _yardstick(device)}
    for name, width, height in sizes:
        rgb, mask = load_frame(width, height)
        for percent in unknown:
            labels = load_trimap(mask, percent / 100)
            calls[key_of(name, percent)] = _call(matter, rgb, labels)
            if name == main and percent == share:
                calls[key_of(name, percent, "whole frame")] = _call(whole, rgb, labels)
                larger = framed(rgb, labels, 2 * width, 2 * height)
                calls[key_of(name, percent, "in a frame of twice its sides")] = _call(
                    matter, *larger
                )
    calls[key_of(main, share)]()  # warm
    timed = in_turns(calls, rounds)
    return {name: {"wall": one.wall, "cpu": one.cpu} for name, one in timed.items()}


def alone(
    *,
    shot: Mapping[str, Any] | None = None,
    frames: Sequence[int] = (),
    rounds: int = 1,
    size: Sequence[int] = (),
    share: float = 0,
    model: str = "lite",
    device: str = "cpu",
) -> dict[str, Any]:
    """The network on the very frames and trimaps of a job; or on one frame, for its memory.

    Args:
        shot: the job, as `Shot` takes it; None for one frame that is made.
        frames: of the job, by number.
        rounds: how often.
        size: width and height of the frame that is made.
        share: of it that is unknown, percent.
        model: for that frame.
        device: for that frame.

    Returns:
        `wall` and `cpu` a frame, mean over the frames of the best of the rounds; `unknown`, the
        mean share, and `peak`, bytes.
    """
    matter: Matter
    if shot is not None:
        matter, inputs = _of_job(Shot(**shot), frames)
    else:
        rgb, mask = load_frame(size[0], size[1])
        matter, inputs = (
            NetworkMatter(model, device=device),
            [(rgb, load_trimap(mask, share / 100))],
        )
        del rgb, mask
    calls = {str(place): _call(matter, *pair) for place, pair in enumerate(inputs)}
    timed = in_turns(calls, rounds).values()
    return {
        "wall": sum(one.wall for one in timed) / len(calls),
        "cpu": sum(one.cpu for one in timed) / len(calls),
        "unknown": sum(float((labels == UNKNOWN).mean()) for _, labels in inputs) / len(inputs),
        "peak": peak_bytes(),
    }


def _of_job(shot: Shot, frames: Sequence[int]) -> tuple[Matter, list[_Input]]:
    """What a worker would give its network, by the worker's own hands."""
    plan, _, _ = probe_job(anchored(shot), "alpha", QuietProgress())
    raw_alphas, stages, inputs = RawAlphas(plan), Stages(), []
    for number in frames:
        source = raw_alphas.read(number, stages)
        seen = source.seen
        inputs.append(
            (seen.rgb, raw_alphas.trimaps.trimap(number, raw_alphas.mask(seen), seen.rgb).labels)
        )
    return raw_alphas.matter, inputs


def _call(matter: Matter, rgb: FloatArray, labels: LabelArray) -> Callable[[], object]:
    return lambda: matter(rgb, labels)


def _yardstick(device: str) -> Callable[[], object]:
    """A fixed number of convolutions, by the library that the network stands on."""
    import torch

    planes = torch.ones(1, 64, _YARD, _YARD, device=device)
    kernel = torch.full((64, 64, 3, 3), 1e-3, device=device)

    @torch.inference_mode()
    def convolve() -> float:
        found = planes
        for _ in range(24):
            found = torch.nn.functional.conv2d(found, kernel, padding=1)
        return float(found.sum())

    return convolve
