"""`adamatte evaluate`: the network and the baselines on the same images and trimaps.

Every method sees the same arrays, `(image, trimap)`, and every matte is rounded to 8 bits before
it is measured, as the public evaluation code reads them from PNG files.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from model.evaluation.baselines import BASELINES, Baseline, baseline
from model.evaluation.benchmark import BenchImage, open_benchmark
from model.evaluation.metrics import Confusion, matte_errors, optimal_trimap
from model.evaluation.perturb import Task, task_of
from model.evaluation.results import OURS, Evaluation, Row
from model.export.weights import export_weights
from model.matter import Matter as Network
from model.training.pictures import to_bytes, write_png
from model.training.recipe import read_recipe
from plugin.errors import RequestError
from plugin.types import FloatArray, LabelArray, Matter

_WIDTH: Final = 320
_GAP: Final = 4


class Figure:
    """Collects rows up to a number, then is written.

    Args:
        rows: images beyond that many are left out.
    """

    def __init__(self, rows: int = 10) -> None:
        self.rows = rows
        self._strips: list[npt.NDArray[np.uint8]] = []

    def add(
        self,
        image: FloatArray,
        trimap: LabelArray,
        adapted: LabelArray,
        alpha: FloatArray,
        truth: FloatArray,
    ) -> None:
        """One image: `H × W × 3` in [0, 1], two trimaps of 0, 128, 255, two mattes in [0, 1]."""
        if len(self._strips) >= self.rows:
            return
        panels = [to_bytes(image)] + [
            np.repeat(grey[..., None], 3, axis=2)
            for grey in (trimap, adapted, to_bytes(alpha), to_bytes(truth))
        ]
        height = round(image.shape[0] * _WIDTH / image.shape[1])
        size = (_WIDTH, min(height, 2 * _WIDTH))
        small = [cv2.resize(panel, size, interpolation=cv2.INTER_AREA) for panel in panels]
        spaced = [np.pad(p, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=90) for p in small]
        self._strips.append(np.asarray(np.concatenate(spaced, axis=1), np.uint8))

    def write(self, path: Path) -> None:
        """As an 8-bit PNG, rows below each other; nothing where nothing was added.

        Raises:
            OutputError: the file cannot be written.
        """
        if self._strips:
            write_png(path, np.concatenate(self._strips))


Progress = Callable[[int, int, str], None]
"""Called with how many mattes are done, how many there are, and which is the last."""

_Method = Callable[[FloatArray, LabelArray], tuple[LabelArray | None, FloatArray]]


def evaluate(
    bench: Path,
    matter: Matter | Mapping[str, Matter] | None,
    *,
    baselines: Sequence[str] = (),
    trimap: str = "trimap",
    cache: Path | None = None,
    limit: int | None = None,
    figure: Figure | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure AdaMatting and baselines on a benchmark.

    Args:
        bench: its folder, in any layout that `open_benchmark` reads.
        matter: the network, or several by name; None measures the baselines alone.
        baselines: of `BASELINES`.
        trimap: the kind of trimap: `trimap`, `large`, …, or computed from the truth: `dilate-30`,
            `erode-10`, ….
        cache: folder that keeps the baselines' mattes by content, since they take long.
        limit: only the first images, by name.
        figure: is given the network's results.
        progress: called after every matte.

    Raises:
        RequestError: no benchmark, no method, an unknown baseline or kind of trimap, a damaged
            file, sizes that do not fit.
        FrameError: a method failed on an image.
        OutputError: the cache cannot be written.
    """
    methods = _methods(matter, baselines, cache)
    images = open_benchmark(bench)[:limit]
    total = len(images) * len(methods)
    rows: list[Row] = []
    for image in images:
        given = _given(image, trimap)
        for name, method in methods.items():
            rows.append(_row(given, name, method, figure))
            if progress:
                progress(len(rows), total, f"{image.name} {name}")
    return Evaluation(bench=str(bench), trimap=trimap, rows=tuple(rows))


def _methods(
    matter: Matter | Mapping[str, Matter] | None, baselines: Sequence[str], cache: Path | None
) -> Mapping[str, _Method]:
    methods: dict[str, _Method] = {}
    if matter is not None:
        methods.update(matter if isinstance(matter, Mapping) else {OURS: matter})
    for key in baselines:
        methods[BASELINES.get(key, key)] = _without_trimap(baseline(key, cache=cache))
    if not methods:
        raise RequestError(
            "nothing to evaluate", where="evaluate", fix="give a model, baselines, or both"
        )
    return methods


def _without_trimap(estimate: Baseline) -> _Method:
    def run(image: FloatArray, trimap: LabelArray) -> tuple[None, FloatArray]:
        return None, estimate(image, trimap)

    return run


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """One image's arrays: the picture, its true matte, the trimap and where it is scored."""

    name: str
    picture: FloatArray
    truth: FloatArray
    task: Task


def _given(image: BenchImage, kind: str) -> _Given:
    picture, truth = image.image(), image.alpha()
    task = task_of(image, kind, truth)
    sizes = {picture.shape[:2], truth.shape, task.trimap.shape}
    if len(sizes) > 1:
        raise RequestError(
            f"image, matte and trimap differ in size: {sorted(sizes)}",
            where=image.name,
            fix="store all three at one size",
        )
    return _Given(image.name, picture, truth, task)


def _row(given: _Given, name: str, method: _Method, figure: Figure | None) -> Row:
    start = time.perf_counter()
    adapted, alpha = method(given.picture, given.task.trimap)
    seconds = time.perf_counter() - start
    if figure is not None and adapted is not None:
        figure.add(given.picture, given.task.trimap, adapted, alpha, given.truth)
    stored = to_bytes(alpha) / np.float64(255)
    errors = matte_errors(stored, given.truth, given.task.scored)
    optimal = optimal_trimap(given.truth)
    return Row(
        image=given.name,
        method=name,
        **asdict(errors),
        confusion=None if adapted is None else Confusion.of(adapted, optimal),
        seconds=seconds,
    )


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
    matter = Network(str(exported.path))
    for bench in benches:
        for kind in _TRIMAPS:
            total = evaluate(bench, matter, trimap=kind).total(OURS)
            errors = f"SAD {total.sad:.2f} MSE {total.mse:.4f} Grad {total.grad:.2f}"
            report(f"{bench.name} {kind}: {errors}")
