"""What an evaluation found: rows, totals, ratios; as a table and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

import numpy as np

from model.evaluation.metrics import Confusion

OURS: Final = "AdaMatting"
"""The network's name in tables."""

_REFERENCES: Final = ("closed-form", "KNN")
"""What the network is held against."""

HALVES: Final = {"choose": 0, "report": 1}
"""Images at odd places of the benchmark's list, first, third, …, are for choosing weights and
constants by; those at even places are for reporting, and nothing is chosen by them."""

ERRORS: Final = ("sad", "mse", "grad", "conn")
"""The matte errors, in the order of the tables."""

_HEADERS: Final = ("SAD", "MSE", "Grad", "Conn", "Acc %", "mIoU", "s")


@dataclass(frozen=True, slots=True)
class Row:
    """One image, one method.

    Attributes:
        image: its name.
        method: `AdaMatting`, `closed-form`, `KNN`.
        sad: in thousands.
        mse: a pixel.
        grad: in thousands.
        conn: in thousands.
        confusion: of the adapted trimap against the optimal one; None for methods without.
        seconds: wall time; next to nothing for a baseline out of the cache.
    """

    image: str
    method: str
    sad: float
    mse: float
    grad: float
    conn: float
    confusion: Confusion | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Total:
    """One method over all images.

    The four errors and the seconds are means over the images, as published tables have them; Acc
    and mIoU come from the pixels of all images together, as is usual for segmentation.
    """

    method: str
    sad: float
    mse: float
    grad: float
    conn: float
    accuracy: float | None
    mean_iou: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of evaluating methods on a benchmark.

    Attributes:
        bench: the benchmark's folder.
        trimap: the kind of trimap that went in.
        rows: by image, then by method in the order they were run.
    """

    bench: str
    trimap: str
    rows: tuple[Row, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """In the order they were run."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    def total(self, method: str) -> Total:
        """That method over all images.

        Raises:
            KeyError: it was not run.
        """
        rows = [row for row in self.rows if row.method == method]
        if not rows:
            raise KeyError(method)
        confusions = [row.confusion for row in rows if row.confusion is not None]
        pixels = sum(confusions, Confusion())
        return Total(
            method=method,
            **{error: _mean(getattr(row, error) for row in rows) for error in ERRORS},
            accuracy=pixels.accuracy if confusions else None,
            mean_iou=pixels.mean_iou if confusions else None,
            seconds=_mean(row.seconds for row in rows),
        )

    def half(self, name: str) -> Self:
        """The images of one of `HALVES` alone."""
        images = list(dict.fromkeys(row.image for row in self.rows))[HALVES[name] :: 2]
        return replace(self, rows=tuple(row for row in self.rows if row.image in images))

    def ratios(self, method: str = OURS) -> dict[str, float]:
        """A network's total over the better baseline's, by error; below 1 is better.

        The better baseline is chosen for each error by itself. Empty where network or baselines
        were not run; infinite where a baseline makes no error and the network does.
        """
        others = [self.total(other) for other in self.methods if other in _REFERENCES]
        if method not in self.methods or method in _REFERENCES or not others:
            return {}
        ours = self.total(method)
        return {
            error: _ratio(getattr(ours, error), min(getattr(other, error) for other in others))
            for error in ERRORS
        }

    def table(self) -> str:
        """Every row, the totals of all images and of each half, and the ratios as plain text."""
        lines: list[tuple[str, ...]] = [("image", "method", *_HEADERS)]
        lines += [(row.image, row.method, *_cells(row)) for row in self.rows]
        parts = {"total (mean)": self, **{f"half to {name} by": self.half(name) for name in HALVES}}
        for name, part in parts.items():
            lines += [(name, method, *_cells(part.total(method))) for method in part.methods]
        if ratios := self.ratios():
            cells = [f"{ratios[error]:.3f}" for error in ERRORS]
            lines.append((f"{OURS} / best baseline", "", *cells, "", "", ""))
        head = (
            f"{self.bench} · trimap {self.trimap} · {len({row.image for row in self.rows})} images"
        )
        return "\n".join([head, *_aligned(lines)])

    def as_dict(self) -> dict[str, Any]:
        """Everything, of types that JSON has."""
        return {
            "schema": "evaluation/1",
            "bench": self.bench,
            "trimap": self.trimap,
            "units": {"sad": "thousands", "mse": "1", "grad": "thousands", "conn": "thousands"},
            "rows": [_row_as_dict(row) for row in self.rows],
            "totals": self._totals(),
            "halves": {name: self.half(name)._totals() for name in HALVES},
            "ratios": self.ratios(),
        }

    def _totals(self) -> list[dict[str, Any]]:
        return [asdict(self.total(method)) for method in self.methods]


def _row_as_dict(row: Row) -> dict[str, Any]:
    fields = asdict(row)
    del fields["confusion"]
    if row.confusion is not None:
        fields |= {
            "confusion": [list(line) for line in row.confusion.counts],
            "accuracy": row.confusion.accuracy,
            "mean_iou": row.confusion.mean_iou,
        }
    return fields


def _cells(result: Row | Total) -> tuple[str, ...]:
    part = result.confusion if isinstance(result, Row) else result
    trimap = ("–", "–")
    if part is not None and part.accuracy is not None and part.mean_iou is not None:
        trimap = (f"{100 * part.accuracy:.1f}", f"{100 * part.mean_iou:.1f}")
    return (
        f"{result.sad:.2f}",
        f"{result.mse:.4f}",
        f"{result.grad:.2f}",
        f"{result.conn:.2f}",
        *trimap,
        f"{result.seconds:.1f}",
    )


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = []
    for line in lines:
        left = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        text.append("  ".join([*left, *right]).rstrip())
    return text


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _ratio(ours: float, best: float) -> float:
    if best:
        return ours / best
    return float("inf") if ours else 1.0
