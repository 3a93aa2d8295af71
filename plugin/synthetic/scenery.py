"""Painted scenery: shelves of books, a garden, a green screen; layers that the camera passes."""

import colorsys
import math

import cv2
import numpy as np

from plugin.synthetic.noise import generator, mix, noise, soften
from plugin.types import FloatArray

Colour = tuple[float, float, float]
Point = tuple[float, float]
_SHIFT = 4


def _ink(rng: np.random.Generator, low: float = 0.2, high: float = 0.8) -> Colour:
    """A colour of dyed cloth: mostly reds, ochres, teals and navies, muted more than vivid."""
    hue = rng.choice([0.0, 0.03, 0.08, 0.11, 0.30, 0.48, 0.55, 0.60, 0.65, 0.78, 0.93])
    saturation, value = rng.triangular(0.1, 0.5, 0.85), rng.uniform(low, high)
    return colorsys.hsv_to_rgb(float(hue + rng.normal(0, 0.015)) % 1, saturation, float(value))


def _box(image: FloatArray, corner: Point, size: Point, colour: Colour) -> None:
    x, y = corner
    corners = (round(x), round(y)), (round(x + size[0]) - 1, round(y + size[1]) - 1)
    cv2.rectangle(image, *corners, colour, cv2.FILLED)


def _blob(
    image: FloatArray, centre: Point, radii: Point, turn: float, colour: Colour | float
) -> None:
    axes = (max(1, round(radii[0])), max(1, round(radii[1])))
    cv2.ellipse(image, (round(centre[0]), round(centre[1])), axes, turn, 0, 360, colour, cv2.FILLED)


def _textured(rng: np.random.Generator, image: FloatArray, cell: float, depth: float) -> FloatArray:
    """Light and dark over an image, within [0.01, 0.97]."""
    height, width = image.shape[:2]
    shade = 1 + depth * noise(rng, height, width, cell, 4)
    return np.clip(image * shade[..., None], 0.01, 0.97).astype(np.float32)


def shelves(seed: int, height: int, width: int, u: float) -> FloatArray:
    """Rows of books and odd things on wooden boards, `height × width × 3`; `u` pixels a unit."""
    rng = generator("shelves", seed)
    image = np.full((height, width, 3), (0.13, 0.09, 0.075), np.float32)
    row = 74 * u
    for bottom in np.arange(rng.uniform(0.4, 0.9) * row, height + row, row):
        x = -rng.uniform(0, 20) * u
        while x < width:
            if rng.random() < 0.13:
                x += _ornament(rng, image, x, float(bottom), u)
                continue
            w, h = rng.uniform(6, 17) * u, rng.uniform(40, 62) * u
            _book(rng, image, (x, bottom - h), (w, h))
            x += w + (rng.uniform(4, 14) * u if rng.random() < 0.08 else 0)
        _box(image, (0, bottom), (width, 7 * u), (0.46, 0.31, 0.19))
        _box(image, (0, bottom + 5.5 * u), (width, 4 * u), (0.20, 0.13, 0.09))
    return soften(_textured(rng, image, 60 * u, 0.28), 1.4 * u)


def _book(rng: np.random.Generator, image: FloatArray, corner: Point, size: Point) -> None:
    (x, y), (w, h) = corner, size
    cover = _ink(rng)
    _box(image, corner, size, cover)
    _box(image, corner, (max(1.0, 0.18 * w), h), (cover[0] * 1.2, cover[1] * 1.2, cover[2] * 1.2))
    _box(image, (x + 0.85 * w, y), (0.15 * w, h), (cover[0] * 0.5, cover[1] * 0.5, cover[2] * 0.5))
    label = _ink(rng, 0.4, 0.95)
    for _ in range(rng.integers(1, 4)):
        band = y + rng.uniform(0.08, 0.85) * h
        _box(image, (x + 0.15 * w, band), (0.7 * w, rng.uniform(0.02, 0.14) * h), label)


def _ornament(rng: np.random.Generator, image: FloatArray, x: float, y: float, u: float) -> float:
    """A pot with leaves, a ball or a box; the room that it takes."""
    r = float(rng.uniform(11, 19) * u)
    colour, kind = _ink(rng, 0.5), rng.integers(3)
    if kind == 0:
        _box(image, (x + 0.4 * r, y - 1.1 * r), (1.4 * r, 1.1 * r), colour)
        for _ in range(14):
            green = (0.12, float(rng.uniform(0.3, 0.7)), 0.15)
            leaf = x + rng.uniform(0, 2.2) * r, y - rng.uniform(1.1, 2.6) * r
            _blob(image, leaf, (0.42 * r, 0.14 * r), float(rng.uniform(0, 180)), green)
    elif kind == 1:
        _blob(image, (x + r, y - r), (r, r), 0, colour)
        _blob(image, (x + 0.7 * r, y - 1.3 * r), (0.3 * r, 0.22 * r), -30, (0.95, 0.95, 0.92))
    else:
        _box(image, (x, y - 1.6 * r), (2 * r, 1.6 * r), colour)
        for line in np.arange(0.2, 2, 0.4):
            _box(image, (x + line * r, y - 1.6 * r), (0.15 * r, 1.6 * r), (0.93, 0.90, 0.84))
    return 2.2 * r


def garden(seed: int, height: int, width: int, u: float) -> FloatArray:
    """Leaves, blossoms and sky beyond, `height × width × 3`; `u` pixels a unit."""
    rng = generator("garden", seed)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky, haze = np.array([0.42, 0.62, 0.86], np.float32), np.array([0.80, 0.86, 0.78], np.float32)
    image = np.broadcast_to(sky + (haze - sky) * down, (height, width, 3)).copy()
    area = height * width / (u * u)
    for depth, (size, share) in enumerate([(26, 0.8), (15, 1.1), (8, 1.0)]):
        for _ in range(int(area * share / (size * size))):
            x, y = rng.uniform(0, width), height * (1 - rng.random() ** (0.75 + 0.2 * depth))
            hue = rng.uniform(0.17, 0.40)
            leaf = colorsys.hsv_to_rgb(hue, rng.uniform(0.4, 0.8), rng.uniform(0.16, 0.72))
            axes = (size * u * rng.uniform(0.5, 1.1), size * u * rng.uniform(0.2, 0.5))
            _blob(image, (x, y), axes, float(rng.uniform(0, 180)), leaf)
        image = soften(image, (3 - depth) * 0.7 * u)
    for _ in range(int(area / 900)):
        x, y, r = rng.uniform(0, width), rng.uniform(0.15, 1) * height, rng.uniform(2, 6) * u
        petal = _ink(rng, 0.8, 0.97)
        for turn in np.arange(5) * (2 * math.pi / 5):
            _blob(
                image,
                (x + r * math.cos(turn), y + r * math.sin(turn)),
                (0.7 * r, 0.7 * r),
                0,
                petal,
            )
        _blob(image, (x, y), (0.6 * r, 0.6 * r), 0, (0.95, 0.80, 0.25))
    return soften(_textured(rng, image, 40 * u, 0.22), 0.9 * u)


def floor(seed: int, height: int, width: int, u: float) -> FloatArray:
    """A woven rug, `height × width × 3`."""
    rng = generator("floor", seed)
    image = np.empty((height, width, 3), np.float32)
    image[:] = _ink(rng, 0.35, 0.6)
    for y in np.arange(0, height, 13 * u):
        colour = _ink(rng, 0.3, 0.7)
        _box(image, (0, y), (width, rng.uniform(3, 8) * u), colour)
        for x in np.arange(rng.uniform(0, 20) * u, width, 20 * u):
            _blob(image, (x, y + 5 * u), (5 * u, 2.2 * u), 0, _ink(rng, 0.3, 0.8))
    return soften(_textured(rng, image, 5 * u, 0.25), 0.8 * u)


def bunting(seed: int, height: int, width: int, u: float) -> tuple[FloatArray, FloatArray]:
    """Pennants on a string near the top: premultiplied colour and coverage."""
    rng = generator("bunting", seed)
    image, cover = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    step, sag = 34 * u, 16 * u
    for number, x in enumerate(np.arange(0, width, step)):
        y = 12 * u + sag * abs(math.sin(math.pi * number / 7))
        z = 12 * u + sag * abs(math.sin(math.pi * (number + 1) / 7))
        flag = [(x + 3 * u, y), (x + step - 3 * u, z), (x + step / 2, (y + z) / 2 + 34 * u)]
        points = np.rint(np.array(flag) * (1 << _SHIFT)).astype(np.int32)
        ends = (round(x), round(y)), (round(x + step), round(z))
        colour = _ink(rng, 0.6, 0.95)
        cv2.fillPoly(image, [points], colour, cv2.LINE_8, _SHIFT)
        cv2.fillPoly(cover, [points], 1.0, cv2.LINE_8, _SHIFT)
        cv2.line(image, *ends, (0.85, 0.8, 0.7), max(1, round(1.5 * u)))
        cv2.line(cover, *ends, 1.0, max(1, round(1.5 * u)))
    return soften(image, 1.8 * u), soften(cover, 1.8 * u)


def bokeh(seed: int, height: int, width: int, u: float) -> tuple[FloatArray, FloatArray]:
    """Discs of light out of focus: premultiplied colour and coverage."""
    rng = generator("bokeh", seed)
    image, cover = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for _ in range(int(height * width / (u * u) / 9000)):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(5, 15) * u
        share = float(rng.uniform(0.35, 0.75))
        warm = colorsys.hsv_to_rgb(
            float(rng.uniform(0.03, 0.17)), float(rng.uniform(0.2, 0.6)), 0.96
        )
        _blob(image, (x, y), (r, r), 0, (warm[0] * share, warm[1] * share, warm[2] * share))
        _blob(cover, (x, y), (r, r), 0, share)
    return soften(image, 1.2 * u), soften(cover, 1.2 * u)


def screen(seed: int, height: int, width: int, u: float) -> FloatArray:
    """A green screen, unevenly lit, with folds; on odd seeds its edge and the studio beside it."""
    rng = generator("screen", seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp = np.exp(-(((x / width - 0.38) / 0.62) ** 2) - ((y / height - 0.35) / 0.75) ** 2)
    folds = 0.028 * np.sin(x / (23 * u) + 1.5 * noise(rng, height, width, 120 * u, 2))
    light = 0.66 + 0.34 * lamp + folds + 0.02 * noise(rng, height, width, 30 * u)
    cloth = np.array([0.17, 0.74, 0.24], np.float32) * light[..., None]
    if seed % 2:
        edge = width - 26 * u + 3 * u * noise(rng, height, 1, 90 * u)
        studio = (
            np.array([0.19, 0.18, 0.20], np.float32)
            * (1 + 0.3 * noise(rng, height, width, 50 * u))[..., None]
        )
        cloth = mix(cloth, studio, np.clip((x - edge) / u, 0, 1).astype(np.float32))
    return np.asarray(np.clip(cloth, 0.01, 0.97), np.float32)


def trunk(seed: int, height: int, width: int, u: float) -> tuple[FloatArray, FloatArray]:
    """A young tree with leaves that passes in front: premultiplied colour and coverage."""
    rng = generator("trunk", seed)
    wander = 7 * u * noise(rng, height, 1, 160 * u, 2)
    x = np.arange(width, dtype=np.float32)[None, :] - width / 2 - wander
    cover = np.asarray(np.clip(19 * u - np.abs(x), 0, 1), np.float32)
    bark = noise(rng, height, width, 14 * u, 4)
    round_ = np.sqrt(np.clip(1 - (x / (20 * u)) ** 2, 0.05, 1))
    image = np.array([0.40, 0.29, 0.20], np.float32) * ((0.75 + 0.4 * bark) * round_)[..., None]
    image = np.asarray(np.clip(image, 0.01, 0.97) * cover[..., None], np.float32)
    for _ in range(90):
        where = width / 2 + rng.normal(0, 0.18) * width, rng.uniform(0, 0.75) * height
        leaf = colorsys.hsv_to_rgb(rng.uniform(0.2, 0.36), 0.7, rng.uniform(0.25, 0.65))
        axes, turn = (11 * u * rng.uniform(0.6, 1.2), 4.5 * u), float(rng.uniform(0, 180))
        _blob(image, where, axes, turn, leaf)
        _blob(cover, where, axes, turn, 1.0)
    return soften(image, 1.0 * u), soften(cover, 1.0 * u)
