"""Tuning to a shot: the network goes on learning on the finished alphas of its key frames.

Encoder and propagation unit stay as they are. Both decoders learn slowly, for few steps, and are
drawn back to what they were at each. They are shown trimaps of all kinds, since those of a shot are
not all as those of its keys. On the CPU, with one thread, to the bit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from model.adamatting import AdaMatting
from model.losses import alpha_loss, trimap_loss
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

RECIPE = "tuned/1"
"""Another way to tune is another recipe."""

STEPS_A_MINUTE = 30
"""How many steps count as a minute, on two cores of a machine of 2024; the clock is not asked."""

_BATCH, _SIDE = 3, 192
_RATE, _PULL = 1e-4, 0.005
_SEED = 1
_AS_IT_IS, _STAYS, _EVEN, _FOUND = 0.25, 0.6, 0.8, 0.9
"""Shares of the patches, each with those before it: whose trimap is as it is; only wider; wider and
moved; unevenly wider and moved. Of the rest regions are lost too."""
_WIDEST = 40
"""By how many pixels a band becomes wider at most."""

_BACK = 0.3
"""How far back to the shipped weights at the end: bands that fit gain a little less by it, and a
wide one that loses loses half as much."""

_AT_FIRST = 10
"""Steps over which the rate rises, and the losses are looked at that later ones are measured by."""


class Finished(NamedTuple):
    """A key frame with its matte.

    Attributes:
        rgb: `H × W × 3` float32, display-referred, within [0, 1].
        trimap: `H × W`, as the shot's frames get theirs.
        alpha: `H × W` float32 within [0, 1].
    """

    rgb: FloatArray
    trimap: LabelArray
    alpha: FloatArray


def tune(
    network: AdaMatting,
    keys: Sequence[Finished],
    steps: int,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:
    """Teach a network a shot's keys; the same keys and steps give the same weights.

    Args:
        network: as `load_network` gives it; tuned in place.
        keys: at least one, each with something unknown.
        steps: of the optimiser, at least one.
        told: is told how many are done, of how many.
    """
    network.requires_grad_(False)
    decoders = [network.a_decoder]
    if network.config.trimap_decoder:
        decoders.append(network.t_decoder)
    learning = [weight for decoder in decoders for weight in decoder.parameters()]
    for weight in learning:
        weight.requires_grad_(True)
    before = [weight.detach().clone() for weight in learning]
    optimiser = torch.optim.Adam(learning)
    random, scale = np.random.default_rng(_SEED), np.zeros(2)
    told(0, steps)
    for done in range(steps):
        _set_rate(optimiser, done, steps)
        losses = _losses(network, _batch(keys, random))
        if done < _AT_FIRST:
            scale += [loss.item() for loss in losses]
        # Of Eq. 3 where both σ are what the losses make them.
        usual = scale / min(done + 1, _AT_FIRST)
        (0.5 * losses[0] / usual[0] + losses[1] / usual[1]).backward()
        torch.nn.utils.clip_grad_norm_(learning, 5.0)
        optimiser.step()
        optimiser.zero_grad()
        with torch.no_grad():
            for weight, old in zip(learning, before, strict=True):
                weight.lerp_(old, _PULL)
        told(done + 1, steps)
    network.requires_grad_(False)
    for weight, old in zip(learning, before, strict=True):
        weight.lerp_(old, _BACK)


def _set_rate(optimiser: torch.optim.Optimizer, done: int, steps: int) -> None:
    rise = min(1.0, (done + 1) / _AT_FIRST)
    for group in optimiser.param_groups:
        group["lr"] = _RATE * rise * (1 - done / steps) ** 0.9


def _losses(network: AdaMatting, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    image, trimap, alpha = batch
    prediction = network(image, trimap)
    optimal = (alpha >= 1 / 255).long() + (alpha > 254 / 255)  # T_opt of Eq. 2, of 8 bits
    return trimap_loss(prediction, optimal), alpha_loss(prediction, alpha)


def _batch(keys: Sequence[Finished], random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    rgb, trimap, alpha = zip(*(_patch(keys, random) for _ in range(_BATCH)), strict=True)
    labels = np.stack(trimap)
    hot = np.stack([labels == label for label in (BACKGROUND, UNKNOWN, FOREGROUND)], 1)
    return (
        torch.from_numpy(np.ascontiguousarray(np.stack(rgb).transpose(0, 3, 1, 2))),
        torch.from_numpy(hot.astype(np.float32)),
        torch.from_numpy(np.stack(alpha))[:, None],
    )


def _patch(keys: Sequence[Finished], random: np.random.Generator) -> Finished:
    """A patch about some unknown pixel: turned, mirrored, nearer or farther, in other light."""
    key = keys[int(random.integers(len(keys)))]
    spots = np.flatnonzero(key.trimap == UNKNOWN)
    y, x = np.divmod(spots[random.integers(len(spots))], key.trimap.shape[1])
    scale, angle = np.exp(random.uniform(-0.28, 0.28)), np.deg2rad(random.normal(0, 8))
    mirror = random.choice([-1.0, 1.0])
    turn = [[np.cos(angle) * mirror, -np.sin(angle)], [np.sin(angle) * mirror, np.cos(angle)]]
    linear = scale * np.array(turn)
    middle = _SIDE / 2 + random.uniform(-_SIDE / 3, _SIDE / 3, 2)
    placed = np.hstack([linear, (middle - linear @ [x, y])[:, None]])

    def warped(picture: FloatArray | LabelArray, how: int) -> np.ndarray:
        size, beyond = (_SIDE, _SIDE), cv2.BORDER_REFLECT_101
        return np.asarray(cv2.warpAffine(picture, placed, size, flags=how, borderMode=beyond))

    light = np.exp(random.normal(0, 0.08) + random.normal(0, 0.03, 3))
    rgb = np.clip(warped(key.rgb, cv2.INTER_LINEAR), 0, 1) ** np.exp(random.normal(0, 0.08)) * light
    rgb = np.clip(rgb + random.normal(0, 0.006, rgb.shape), 0, 1).astype(np.float32)
    alpha = np.clip(warped(key.alpha, cv2.INTER_LINEAR), 0, 1)
    return Finished(rgb, worsened(warped(key.trimap, cv2.INTER_NEAREST), random), alpha)


def worsened(trimap: LabelArray, random: np.random.Generator) -> LabelArray:
    """A patch's trimap as a carried mask may have it: too wide, off, or with regions lost.

    Taught bands alone that are narrow and true, the network forgets what to do with others.

    Args:
        trimap: `192 × 192`.
        random: decides; a quarter stay as they are.
    """
    way, size = random.random(), (_SIDE, _SIDE)
    if way < _AS_IT_IS:
        return trimap
    right, down = random.normal(0, 5, 2) * (way > _STAYS)
    placed = np.array([[1, 0, right], [0, 1, down]], np.float32)
    nearest, beyond = cv2.INTER_NEAREST, cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(trimap, placed, size, flags=nearest, borderMode=beyond)
    radius = int(np.exp(random.uniform(0, math.log(_WIDEST))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    unknown = cv2.dilate((moved == UNKNOWN).astype(np.uint8), disc) > 0
    field = cv2.resize(random.random((5, 5)), size, interpolation=cv2.INTER_CUBIC)
    if way >= _EVEN:
        unknown &= field > 0.4
    if way > _FOUND:
        unknown |= field > 0.75
    return np.where(unknown, UNKNOWN, moved).astype(np.uint8)


def weights_of(network: AdaMatting) -> bytes:
    """The network as a file of weights, as training writes them."""
    state = {name: values.contiguous() for name, values in network.state_dict().items()}
    return safetensors.torch.save(state, {"config": json.dumps(network.config.as_dict())})
