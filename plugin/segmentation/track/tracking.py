"""The first pass of `track`: key masks in, one carried mask a frame on disk out."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from plugin.framerange import FrameRange
from plugin.segmentation.plans import Request
from plugin.segmentation.track import chain
from plugin.segmentation.track.carried import Carried, CarriedMasks, reached
from plugin.segmentation.track.chain import Link
from plugin.segmentation.track.corrected import corrected
from plugin.segmentation.track.motion import Picture
from plugin.types import FloatArray, Matter, PlateInfo

_LONGEST = 640
"""Longest side of the pictures that motion is found in."""

_BLOCK = 32
"""Frames that are held at once to go through a video backwards."""

Correct = Callable[[Picture, Link, Matter], Link]
"""Corrects what was carried to a frame: see `corrected.corrected`."""

Follow = Callable[[Picture, FloatArray, Iterable[tuple[int, Picture]]], Iterator[Link]]
"""Carries a key's mask through frames: see `chain.follow`."""

_SETTLED = 4
"""How strongly confidence counts against nearness where two keys' masks meet."""


def run_tracking(
    request: Request,
    folder: Path,
    recipe: str,
    keys: FrameRange,
    mask_of: Callable[[int], FloatArray],
    *,
    follow: Callable[[], Follow] = lambda: chain.follow,
    correct: Correct = corrected,
) -> Carried:
    """Carry the keys' masks to every frame that is asked for and every frame on the way.

    Args:
        request: the shot and its plate.
        folder: where the carried masks go; made where missing.
        recipe: sha256 of the keys.
        keys: frames that have a mask.
        mask_of: reads a key's mask, `H × W`.
        follow: makes what carries a mask, where there is something to carry.
        correct: corrects it, where the request has a network.

    Returns:
        The confidence of each frame, and where another key would help most.

    Raises:
        FrameError: a frame of the plate cannot be decoded.
        OutputError: the folder cannot be written.
    """
    frames = reached(request, keys)
    masks = CarriedMasks(folder, request, recipe, frames)
    kept = masks.kept()
    if kept is not None:
        return kept
    masks.prepare()
    _Tracker(request, masks, mask_of, follow(), correct).run(keys, frames)
    return masks.finish()


def working_picture(request: Request, number: int) -> Picture:
    """A frame at the size that masks are carried in.

    Raises:
        FrameError: it cannot be decoded.
    """
    rgb = request.to_display(request.plate.read(number).rgb)
    height, width = rgb.shape[:2]
    scale = min(2.0, _LONGEST / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(rgb, size, interpolation=method), np.float32)
    return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)


def working_mask(mask: FloatArray, picture: Picture) -> FloatArray:
    """A key's mask at the size of a working picture."""
    size = picture.shape[1], picture.shape[0]
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)


class _Tracker:
    """Runs the chains and writes their masks."""

    def __init__(
        self,
        request: Request,
        masks: CarriedMasks,
        mask_of: Callable[[int], FloatArray],
        follow: Follow,
        correct: Correct,
    ) -> None:
        self._request = request
        self._masks = masks
        self._mask_of = mask_of
        self._follow, self._correct = follow, correct
        self._done = self._total = 0

    def run(self, keys: FrameRange, frames: FrameRange) -> None:
        numbers = frames.numbers
        # Between two keys every frame is reached twice.
        self._total = len(numbers) + sum(1 for n in numbers if keys.first < n < keys.last)
        self._total -= sum(1 for n in keys if keys.first < n < keys.last)
        self._step(0)
        before = [n for n in numbers if n < keys.first]
        for link in self._chain(keys.first, before[::-1]):
            self._write(link)
        for key, following in zip(keys.numbers, (*keys.numbers[1:], None), strict=True):
            self._write_key(key)
            between = [n for n in numbers if n > key and (following is None or n < following)]
            forwards = self._chain(key, between)
            if following is None:
                for link in forwards:
                    self._write(link)
                continue
            from_after = {}
            for link in self._chain(following, between[::-1]):
                from_after[link.number] = _packed(link)
                self._step()
            for link in forwards:
                other = _unpacked(link.number, *from_after.pop(link.number))
                self._write(_merged(link, other, key, following))

    def _step(self, by: int = 1) -> None:
        self._done += by
        self._request.step(self._done, self._total)

    def _chain(self, key: int, numbers: list[int]) -> Iterator[Link]:
        if not numbers:
            return iter(())
        picture = self._picture(key)
        mask = working_mask(self._mask_of(key), picture)
        return self._follow(picture, mask, self._pictures(numbers))

    def _pictures(self, numbers: list[int]) -> Iterator[tuple[int, Picture]]:
        """Pictures in that order; a descending run is decoded in ascending blocks."""
        if len(numbers) < 2 or numbers[0] < numbers[1]:
            yield from ((number, self._picture(number)) for number in numbers)
            return
        for start in range(0, len(numbers), _BLOCK):
            block = numbers[start : start + _BLOCK]
            decoded = {number: self._picture(number) for number in reversed(block)}
            yield from ((number, decoded.pop(number)) for number in block)

    def _picture(self, number: int) -> Picture:
        return working_picture(self._request, number)

    def _write_key(self, number: int) -> None:
        mask = self._mask_of(number)
        self._masks.save(number, mask, np.zeros(mask.shape, np.bool_), 1.0)
        self._step()

    def _write(self, link: Link) -> None:
        if self._request.matter is not None:
            link = self._correct(self._picture(link.number), link, self._request.matter)
        info: PlateInfo = self._request.plate.info
        size = info.width, info.height
        coverage = cv2.resize(link.coverage, size, interpolation=cv2.INTER_LINEAR)
        unsure = cv2.resize(link.unsure.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        self._masks.save(
            link.number,
            np.asarray(coverage, np.float32),
            np.asarray(unsure, np.uint8) > 0,
            link.confidence,
        )
        self._step()


def _merged(one: Link, other: Link, key: int, following: int) -> Link:
    """What two keys say of a frame between them; unsure where they contradict each other."""
    nearness = (following - one.number) / (following - key)
    mine = nearness * one.confidence**_SETTLED + 1e-6
    theirs = (1 - nearness) * other.confidence**_SETTLED + 1e-6
    share = np.float32(mine / (mine + theirs))
    coverage = share * one.coverage + (1 - share) * other.coverage
    unsure = (one.unsure & other.unsure) | (np.abs(one.coverage - other.coverage) > 0.5)
    if min(mine, theirs) < 0.02 * max(mine, theirs):  # one side is lost: the other is believed
        unsure = one.unsure if mine > theirs else other.unsure
    confidence = max(one.confidence, other.confidence)
    return Link(one.number, np.asarray(coverage, np.float32), unsure, confidence)


def _packed(link: Link) -> tuple[np.ndarray, float]:
    """A link as PNG bytes: a long stretch waits in memory for its other side."""
    red = np.rint(np.clip(link.coverage, 0, 1) * 255).astype(np.uint8)
    green = link.unsure.astype(np.uint8) * np.uint8(255)
    _, png = cv2.imencode(".png", np.dstack([np.zeros_like(red), green, red]))
    return np.asarray(png), link.confidence


def _unpacked(number: int, png: np.ndarray, confidence: float) -> Link:
    layers = np.asarray(cv2.imdecode(png, cv2.IMREAD_COLOR))
    coverage = np.asarray(layers[..., 2] / 255, np.float32)
    return Link(number, coverage, layers[..., 1] > 127, confidence)
