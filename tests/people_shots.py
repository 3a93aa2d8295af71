"""Made-up shots of people with a true matte and the roto that a person would draw.

Cut-outs of training (people in clothes, a dancer, heads and animals of rendered hair) move over
photographs that may move too: with motion blur, grain, JPEG, a third of them mixed in linear light.
The roto is drawn on the cut-out's outline, hair as a mass: straight lines between few corners that
are a pixel or two off, keyed on the first and the last frame. A seed and a number make the same
shot everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model.evaluation.compositions import read_cutout
from model.training.data_split import rendered_kind
from model.training.pictures import read_image
from plugin.errors import RequestError
from plugin.types import FloatArray

KINDS = ("people", "dancer", "heads", "fur")
"""Shot 0 is of the first, shot 1 of the second, and so on round again."""

WIDTH, HEIGHT, FRAMES = 640, 480, 8

_HEADS = {0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 23, 25}
"""Kinds of rendered hair that are people's."""

_MIDDLE = (FRAMES - 1) / 2

_Bytes = npt.NDArray[np.uint8]
_Affine = npt.NDArray[np.float64]
_Rng = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class PeopleShot:
    """One shot, as 8-bit pictures.

    Attributes:
        kind: one of `KINDS`.
        rgb: `FRAMES × H × W × 3`, display-referred.
        alpha: `FRAMES × H × W`, the truth.
        roto: `FRAMES × H × W`, what a person would draw.
    """

    kind: str
    rgb: _Bytes
    alpha: _Bytes
    roto: _Bytes


class PeopleShots:
    """The shots of a seed.

    Args:
        data: a folder with `fg/*.webp`, cut-outs, and `photos/*.jpg`.
        seed: of them all.

    Raises:
        RequestError: the folder lacks one of the kinds, or photographs.
    """

    def __init__(self, data: Path, seed: int) -> None:
        self._seed = seed
        self._photos = sorted((data / "photos").glob("*.jpg"))
        files = sorted((data / "fg").glob("*.webp"))
        self._cutouts: dict[str, list[Path]] = {kind: [] for kind in KINDS}
        for file in files:
            kind = _kind_of(file.name)
            if kind:
                self._cutouts[kind].append(file)
        lacks = [kind for kind, found in self._cutouts.items() if not found]
        if lacks or not self._photos:
            what = ", ".join(lacks or ["photographs"])
            raise RequestError(f"nothing there of: {what}", where=data, fix="give fg/ and photos/")

    def shot(self, number: int) -> PeopleShot:
        """Shot `number`, from 0."""
        rng = np.random.default_rng([self._seed, number])
        kind = KINDS[number % len(KINDS)]
        files = self._cutouts[kind]
        cutout = _sized(files[rng.integers(len(files))], kind in KINDS[:2], rng)
        back = _backdrop(self._photos, rng)
        camera = _Camera(cutout.shape[:2], back.shape[:2], rng)
        rgb, alpha = _filmed(cutout, back, camera, rng)
        roto = _roto(cutout[..., 3], 1.2 if kind in KINDS[:2] else 3.5, camera.place, rng)
        return PeopleShot(kind, rgb, alpha, roto)


def _kind_of(name: str) -> str:
    if name.startswith("people"):
        return "people"
    if name.startswith("dancer1"):
        return "dancer"
    hair = rendered_kind(name)
    return "" if hair is None else "heads" if hair in _HEADS else "fur"


def _sized(file: Path, whole: bool, rng: _Rng) -> FloatArray:
    """A cut-out as large as it stands in the frame, premultiplied, `h × w × 4`."""
    cutout = read_cutout(file)
    rgba = np.dstack((cutout.rgb * cutout.alpha[..., None], cutout.alpha)).astype(np.float32)
    rows, columns = np.nonzero(rgba[..., 3] > 0.5)
    rgba = rgba[
        max(0, rows.min() - 25) : rows.max() + 25, max(0, columns.min() - 25) : columns.max() + 25
    ]
    tall = HEIGHT * (rng.uniform(0.75, 1.5) if whole else rng.uniform(0.6, 0.95))
    factor = min(tall / rgba.shape[0], 1.6)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.clip(cv2.resize(rgba, None, fx=factor, fy=factor, interpolation=method), 0, 1)


def _backdrop(photos: Sequence[Path], rng: _Rng) -> FloatArray:
    """A photograph with colours, larger than the frame, some of them out of focus."""
    while True:
        photo = read_image(photos[int(rng.integers(len(photos)))])
        if np.ptp(photo, axis=2).mean() > 0.03:
            break
    factor = max((HEIGHT + 80) / photo.shape[0], (WIDTH + 120) / photo.shape[1])
    factor *= rng.uniform(1, 1.4)
    method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    back = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=method)
    if rng.random() < 0.35:
        back = cv2.GaussianBlur(back, (0, 0), rng.uniform(1, 5))
    return np.asarray(np.clip(back, 0, 1), np.float32)


class _Camera:
    """How subject and background move, and for how long the shutter is open."""

    def __init__(self, subject: Sequence[int], back: Sequence[int], rng: _Rng) -> None:
        self._high, self._wide = subject
        self._speed = rng.uniform(-1, 1, 2) * rng.choice([1.5, 4, 9])
        self._turn = rng.uniform(-1, 1) * rng.choice([0.2, 1.2])
        self._zoom = rng.uniform(-1, 1) * 0.004
        self._pan = rng.uniform(-1, 1, 2) * rng.choice([0, 1.0, 4])
        self.open = (-0.2, -0.07, 0.07, 0.2) if rng.random() < 0.6 else (0.0,)
        across = WIDTH / 2 + rng.uniform(-60, 60)
        over = self._high - HEIGHT
        down = rng.uniform(0, 60) if over < 0 else max(0, over / 2) * rng.uniform(0.3, 1)
        self._centre = np.array([across, HEIGHT / 2 + down])
        self._room = np.array([back[1] - WIDTH, back[0] - HEIGHT])
        self._corner = self._room * rng.uniform(0, 1, 2)

    def place(self, time: float) -> _Affine:
        """Where the subject is, as `2 × 3`."""
        since = time - _MIDDLE
        angle = np.deg2rad(self._turn * since)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = (1 + self._zoom * since) * np.array([[cos, -sin], [sin, cos]])
        middle = turned @ np.array([self._wide / 2, self._high / 2])
        return np.column_stack((turned, self._centre + self._speed * since - middle))

    def behind(self, time: float) -> _Affine:
        """Where the background is."""
        at = np.clip(self._corner + self._pan * time, 0, self._room)
        return np.array([[1, 0, -at[0]], [0, 1, -at[1]]])


def _filmed(
    cutout: FloatArray, back: FloatArray, camera: _Camera, rng: _Rng
) -> tuple[_Bytes, _Bytes]:
    """The frames, and their true alpha."""
    gain = rng.uniform(0.75, 1.05, 3)
    linear = rng.random() < 0.3
    grain, quality = rng.uniform(0.002, 0.012), int(rng.choice([0, 90, 75]))
    pictures, mattes = [], []
    for time in range(FRAMES):
        front, behind = (
            np.mean([cv2.warpAffine(p, at(time + t), (WIDTH, HEIGHT)) for t in camera.open], axis=0)
            for p, at in ((cutout, camera.place), (back, camera.behind))
        )
        alpha = np.clip(front[..., 3:], 0, 1)
        colours = front[..., :3] * gain
        if linear:
            straight = np.clip(colours / np.maximum(alpha, 1e-4), 0, 1) ** 2.2
            mixed = (alpha * straight + (1 - alpha) * np.clip(behind, 0, 1) ** 2.2) ** (1 / 2.2)
        else:
            mixed = colours + (1 - alpha) * behind
        mixed = mixed + rng.standard_normal(mixed.shape).astype(np.float32) * grain
        stored = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8)
        if quality:
            packed = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            stored = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        pictures.append(stored)
        mattes.append(np.rint(alpha[..., 0] * 255).astype(np.uint8))
    return np.stack(pictures), np.stack(mattes)


def _roto(alpha: FloatArray, mass: float, place: Callable[[float], _Affine], rng: _Rng) -> _Bytes:
    """Masks drawn around a cut-out whose hair is taken for a mass of that softness."""
    drawn = (cv2.GaussianBlur(alpha, (0, 0), mass) > 0.5).astype(np.uint8)
    outlines, tree = cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    off, straight = rng.uniform(1, 2.5), rng.uniform(2, 4)
    shapes = []
    for index, outline in enumerate(outlines):
        if cv2.contourArea(outline) < (250 if tree[0, index, 3] < 0 else 500):
            continue
        corners = cv2.approxPolyDP(outline, straight, True)[:, 0].astype(np.float64)
        if len(corners) >= 3:
            first, last = (rng.normal(0, off, corners.shape) for _ in range(2))
            shapes.append((corners, first, last))
    masks = []
    for time in range(FRAMES):
        at, late = place(time), time / (FRAMES - 1)
        large = np.zeros((HEIGHT * 4, WIDTH * 4), np.uint8)
        moved = [
            (corners + first * (1 - late) + last * late) @ at[:, :2].T + at[:, 2]
            for corners, first, last in shapes
        ]
        cv2.fillPoly(large, [np.rint((m + 0.5) * 4).astype(np.int32) for m in moved], 255)
        masks.append(cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
    return np.stack(masks)
