"""The baselines of the paper's tables, and what our own planes say without the network.

All take what the network takes, `(image, trimap) → alpha`. pymatting is not among the program's
own dependencies: the extra `baselines` brings it.

    closed-form   Levin et al., "A closed-form solution to natural image matting" (PAMI 2008)
    KNN           Chen et al., "KNN matting" (PAMI 2013)
    planes        α_L of `model.planes`, which the network starts from
"""

import contextlib
import hashlib
import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from model.planes.colour_planes import VERSION, colour_planes
from model.training.pictures import read_alpha, to_bytes, write_png
from plugin.errors import FrameError, RequestError
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

BASELINES: Final = {"cf": "closed-form", "knn": "KNN", "planes": "planes alone"}
"""The names on the command line, and in tables."""

_FUNCTIONS: Final = {"cf": "estimate_alpha_cf", "knn": "estimate_alpha_knn"}


@dataclass(frozen=True, slots=True)
class Baseline:
    """One of them, ready to run.

    Attributes:
        key: `cf`, `knn` or `planes`.
        cache: folder of mattes that are already computed, by content; None keeps none.
        version: of what computes it.
    """

    key: str
    cache: Path | None
    version: str
    _solve: Callable[[FloatArray, LabelArray], FloatArray]

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return BASELINES[self.key]

    def __call__(self, image: FloatArray, trimap: LabelArray) -> FloatArray:
        """Matte one image.

        Args:
            image: `H × W × 3` float32 within [0, 1].
            trimap: `H × W` uint8 of 0, 128 and 255.

        Returns:
            Alpha, `H × W` float32 within [0, 1], at 8 bits' precision where a cache is used.

        Raises:
            FrameError: the solver found no solution.
            OutputError: the cache cannot be written.
        """
        if self.cache is None:
            return self._solve(image, trimap)
        file = self.cache / f"{self.key}-{self._digest(image, trimap)}.png"
        kept = _kept(file, trimap.shape)
        if kept is not None:
            return kept
        write_png(file, to_bytes(self._solve(image, trimap)))
        return read_alpha(file)

    def _digest(self, image: FloatArray, trimap: LabelArray) -> str:
        parts = (self.key, self.version, image.shape)
        digest = hashlib.sha256(repr(parts).encode())
        digest.update(np.ascontiguousarray(image).tobytes())
        digest.update(np.ascontiguousarray(trimap).tobytes())
        return digest.hexdigest()[:40]


def baseline(key: str, *, cache: Path | None = None) -> Baseline:
    """A baseline by its name on the command line, `cf`, `knn` or `planes`.

    Args:
        key: which.
        cache: folder for computed mattes, found again by the content of image and trimap.

    Raises:
        RequestError: no such baseline, or pymatting is not installed.
    """
    if key not in BASELINES:
        raise RequestError(
            f"no baseline {key!r}", where="--baselines", fix=f"choose from {', '.join(BASELINES)}"
        )
    if key == "planes":
        return Baseline(key, cache, f"planes {VERSION}", _smoothed)
    try:
        number = version("pymatting")
        module = importlib.import_module("pymatting")
    except (ImportError, PackageNotFoundError) as error:
        raise RequestError(
            "the baselines need pymatting, which is not installed",
            where="--baselines",
            fix="pip install 'adamatte[baselines]'",
        ) from error
    return Baseline(key, cache, number, partial(_propagated, getattr(module, _FUNCTIONS[key]), key))


def _propagated(
    estimate: Callable[..., Any], key: str, image: FloatArray, trimap: LabelArray
) -> FloatArray:
    fractions = np.full(trimap.shape, 0.5)
    fractions[trimap == BACKGROUND] = 0
    fractions[trimap == FOREGROUND] = 1
    definite = np.unique(fractions[trimap != UNKNOWN])
    if len(definite) < 2:
        # What propagates from one label alone is that label everywhere (pymatting refuses to
        # say so); from none there is nothing to be known.
        return np.full(trimap.shape, definite[0] if len(definite) else 0.5, dtype=np.float32)
    try:
        # pymatting prints when it has to try again, and stdout may be carrying progress lines.
        with contextlib.redirect_stdout(io.StringIO()):
            alpha = estimate(image.astype(np.float64), fractions)
    except ValueError as error:
        raise FrameError(
            f"no solution ({error})", where=BASELINES[key], fix="use a narrower trimap"
        ) from error
    return np.asarray(np.clip(alpha, 0, 1), dtype=np.float32)


def _smoothed(image: FloatArray, trimap: LabelArray) -> FloatArray:
    picture = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    labels = [torch.from_numpy(trimap == label) for label in (BACKGROUND, UNKNOWN, FOREGROUND)]
    planes = colour_planes(picture, torch.stack(labels)[None].float())
    return np.ascontiguousarray(planes[0, 8].numpy())


def _kept(file: Path, shape: tuple[int, ...]) -> FloatArray | None:
    """The cached matte; None where there is none, or a damaged one."""
    if not file.is_file():
        return None
    try:
        alpha = read_alpha(file)
    except RequestError:
        return None
    return alpha if alpha.shape == shape else None
