"""Networks and baselines on several benchmarks and kinds of trimap, in one table."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.evaluation.benchmark import open_benchmark
from model.evaluation.evaluate import Figure, Progress, evaluate
from model.evaluation.perturb import is_computed
from model.evaluation.results import ERRORS, HALVES, Evaluation, Total
from model.training.pictures import write_json
from plugin.types import Matter


def compare(
    benches: Sequence[Path],
    matters: Mapping[str, Matter],
    *,
    baselines: Sequence[str] = (),
    trimaps: Sequence[str] = ("trimap",),
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[Evaluation]:
    """`evaluate` on every benchmark with every kind of trimap that it has.

    Args:
        benches: their folders.
        matters: the networks, by the names that the table shall give them.
        baselines: as of `evaluate`.
        trimaps: kinds as of `evaluate`; a stored kind that a benchmark lacks is left out there.
        cache: as of `evaluate`.
        progress: called after every matte; counts anew for each benchmark and kind.

    Raises:
        RequestError: as of `evaluate`.
        FrameError: as of `evaluate`.
        OutputError: as of `evaluate`.
    """
    for bench in benches:
        stored = {kind for image in open_benchmark(bench) for kind in image.trimap_files}
        for kind in trimaps:
            if is_computed(kind) or {kind, f"trimap-{kind}"} & stored:
                yield evaluate(
                    bench,
                    matters,
                    baselines=baselines,
                    trimap=kind,
                    cache=cache,
                    progress=progress and _within(progress, f"{bench.name} {kind}"),
                )


def _comparison_table(evaluations: Sequence[Evaluation]) -> str:
    """Markdown: for each benchmark and kind of trimap all images and each half, a row a method."""
    lines = [
        "| set | trimap | images | method | SAD | MSE | Grad | Conn | Acc % | mIoU | s |"
        " SAD, MSE, Grad / better baseline |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for whole in evaluations:
        for name, part in {"all": whole, **{half: whole.half(half) for half in HALVES}}.items():
            count = len({row.image for row in part.rows})
            lines += [
                f"| {Path(whole.bench).name} | {whole.trimap} | {name} {count} | {method} | "
                f"{_figures(part.total(method))} | {_ratios(part.ratios(method))} |"
                for method in part.methods
            ]
    return "\n".join(lines)


def measure_and_report(
    benches: Sequence[Path],
    matters: Mapping[str, Matter],
    *,
    baselines: str = "",
    trimaps: Sequence[str] = ("trimap",),
    json_file: Path | None = None,
    cache: Path | None = None,
    figure_file: Path | None = None,
    progress: Progress | None = None,
) -> str:
    """What `adamatte evaluate` does, behind its options.

    Arguments and errors as of `evaluate`, or of `compare` where several benchmarks, models or
    trimaps are given; `baselines` is as typed, `cf,knn`. In the table of several, a network from a
    file has its stem's name, where that is not another's as well. `json_file` is rewritten after
    each benchmark and kind; `figure_file` is of one benchmark, model and trimap.

    Returns:
        The table to print.
    """
    keys = tuple(dict.fromkeys(key.strip() for key in baselines.split(",") if key.strip()))
    more: dict[str, Any] = {"baselines": keys, "cache": cache, "progress": progress}
    if len(benches) == len(matters) == len(trimaps) == 1:
        figure, [matter] = Figure(), matters.values()
        drawn = None if figure_file is None else figure
        one = evaluate(benches[0], matter, trimap=trimaps[0], figure=drawn, **more)
        if figure_file is not None:
            figure.write(figure_file)
        if json_file is not None:
            write_json(json_file, one.as_dict())
        return one.table()
    stems = [Path(name).stem for name in matters]
    named = {
        stem if stems.count(stem) == 1 else name: matter
        for stem, (name, matter) in zip(stems, matters.items(), strict=True)
    }
    found: list[Evaluation] = []
    for one in compare(benches, named, trimaps=trimaps, **more):
        found.append(one)
        if json_file is not None:
            both = {"schema": "evaluations/1", "evaluations": [each.as_dict() for each in found]}
            write_json(json_file, both)
    return _comparison_table(found)


def _within(progress: Progress, where: str) -> Progress:
    return lambda done, total, what: progress(done, total, f"{where}: {what}")


def _figures(total: Total) -> str:
    errors = f"{total.sad:.2f} | {total.mse:.4f} | {total.grad:.2f} | {total.conn:.2f}"
    shares = (total.accuracy, total.mean_iou)
    adapted = " | ".join("" if share is None else f"{100 * share:.1f}" for share in shares)
    return f"{errors} | {adapted} | {total.seconds:.1f}"


def _ratios(ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{ratios[error]:.2f}" for error in ERRORS[:3]) if ratios else ""
