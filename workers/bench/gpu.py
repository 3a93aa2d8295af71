"""On a GPU: frames a second of the network alone, share of peak arithmetic, how busy it is."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from model import Matter
from plugin.errors import SurroundingsError
from plugin.pattern import FramePattern
from plugin.synthetic.loads import load_frame, load_trimap
from workers.bench.child import in_child
from workers.bench.figures import Figure, Settings
from workers.bench.network import key_of
from workers.bench.parts import shot_of, variant

_GOALS = {("1080p", 10.0): 60.0, ("2160p", 10.0): 15.0}
"""Frames a second."""

_WORKERS = (1, 4, 8)

_SQUARE = 8192
"""Side of the matrices whose product tells the peak."""


def figures(settings: Settings) -> Iterator[Figure]:
    """The card's figures by size, at the main share."""
    share = settings.share
    for size in settings.sizes:
        found = in_child(
            "gpu", size=(size.width, size.height), share=share, rounds=10, model=settings.model
        )
        name = f"gpu · {key_of(size.name, share)}"
        goal = _GOALS.get((size.name, share))
        fps = found["fps"]
        yield Figure(f"{name} · network alone", fps, "frames/s", "higher", goal, steady=False)
        yield Figure(f"{name} · share of peak", 100 * found["of_peak"], "%", "higher")
        yield Figure(f"{name} · busy", 100 * found["busy"], "%", "higher", 90.0)
        yield Figure(f"{name} · memory", found["peak"] / (1 << 30), "GiB", "lower")
    yield from _jobs(settings)


def _jobs(settings: Settings) -> Iterator[Figure]:
    """The whole job with several workers on one card, stabilised and not."""
    main = settings.main
    with tempfile.TemporaryDirectory(prefix="adamatte-bench-") as folder:
        shot = shot_of(settings, Path(folder), (main.width, main.height), settings.frames)
        # Each picture several times: to draw them takes longer than to matte them.
        for pattern in map(FramePattern.of, (shot["plate"], shot["mask"])):
            assert pattern is not None  # noqa: S101  they are patterns
            for index in range(settings.frames, settings.frames * max(_WORKERS)):
                there = pattern.path(1001 + index % settings.frames)
                pattern.path(1001 + index).hardlink_to(there)
        for radius in (0, 2):
            for workers in _WORKERS:
                share = 10_000 // workers / 10_000
                last = 1000 + settings.frames * workers
                wishes = {"frames": f"1001-{last}", "stabilise": radius, "report": False}
                run = in_child(
                    "job",
                    shot=variant(
                        shot,
                        f"{radius}-{workers}",
                        executor="ray",
                        workers=workers,
                        gpus_per_worker=share,
                        chunk=settings.frames,
                        **wishes,
                    ),
                )
                if run["failed"]:
                    raise SurroundingsError(run["failed"], where="bench, gpu", fix="see --debug")
                # Until each has loaded its network there are fewer at work.
                walls = sorted(run["walls"])[2 * workers :]
                fps = (len(walls) - 1) / (walls[-1] - walls[0])
                name = f"gpu · job {main.name}, stabilise {radius}, {workers} workers"
                yield Figure(name, fps, "frames/s", "higher", steady=False)
                if workers == 1:
                    for stage, seconds in sorted(run["stages"].items(), key=lambda one: -one[1]):
                        each = 1000 * seconds / len(run["walls"])
                        yield Figure(f"{name} · {stage}", each, "ms", steady=False)


def card_name() -> str:
    """The card's name."""
    import torch

    return str(torch.cuda.get_device_name())


def measure(
    *, size: tuple[int, int], share: float, rounds: int, model: str, device: str = "cuda"
) -> dict[str, Any]:
    """One size on the card. Runs in a child process.

    Returns:
        `fps`; `of_peak`, arithmetic a second over that of a large product of matrices in the
        network's precision; `busy`, share of wall time in which a kernel runs; `peak`, bytes.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    matter = Matter(model, device=device)
    rgb, mask = load_frame(size[0], size[1])
    labels = load_trimap(mask, share / 100)
    for _ in range(3):
        matter(rgb, labels)
    on_card = device == "cuda"
    if on_card:
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    for _ in range(rounds):
        matter(rgb, labels)  # ends with the alpha on the host
    seconds = (time.perf_counter() - started) / rounds
    with FlopCounterMode(display=False) as counter:
        matter(rgb, labels)
    kinds = [
        torch.profiler.ProfilerActivity.CUDA if on_card else torch.profiler.ProfilerActivity.CPU
    ]
    with torch.profiler.profile(activities=kinds) as profile:
        began = time.perf_counter()
        matter(rgb, labels)
        wall = time.perf_counter() - began
    spans = [
        (event.time_range.start, event.time_range.end)
        for event in profile.events() or []
        if not on_card or event.device_type.name == "CUDA"
    ]
    peak = _peak(device, torch.bfloat16 if on_card else torch.float32)
    return {
        "fps": 1 / seconds,
        "of_peak": counter.get_total_flops() / seconds / peak,
        "busy": covered(spans) * 1e-6 / wall,
        "peak": torch.cuda.max_memory_allocated() if on_card else 0,
    }


def covered(spans: Sequence[tuple[float, float]]) -> float:
    """Length of what any of the spans covers."""
    total, reach = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total


def _peak(device: str, precision: Any) -> float:  # noqa: ANN401  torch is imported late
    """Arithmetic a second of a product of large matrices, the best of a few."""
    import torch

    side = _SQUARE if device == "cuda" else _SQUARE // 16
    one = torch.ones(side, side, dtype=precision, device=device)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        float((one @ one)[0, 0])  # waits for it
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best
