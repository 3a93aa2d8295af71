"""Teaching the network a shot, and asking it about frames: on the CPU, one thread, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.torch
import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.segmenters.shot.grounds import ground_of, with_what_goes_along
from model.segmenters.shot.lessons import Known, box_of, lesson, lights_of
from model.segmenters.shot.network import ShotNetwork
from model.segmenters.shot.planes import Seen, planes_of
from model.segmenters.shot.views import SIDE
from plugin.errors import WeightsError
from plugin.types import FloatArray

RECIPE = "shot/3"
"""Another network, other lessons or another way to teach is another recipe."""

STEPS_A_MINUTE = 200
"""How many steps count as a minute, on two cores of a machine of 2024; the clock is not asked."""

_BATCH = 6
_RATE = 3e-3
_SEED = 1
_FIRST = 0.4
"""Share of the steps after which it has an idea of the subject."""

_AROUND = 1.6
"""Side of the patch that is looked at, in sides of the subject's box."""

_LEAST = 48.0
"""Of that side, pixels."""

Place = tuple[float, float, float]
"""Middle (x, y) and longer side of where the subject is thought to be, pixels."""


class ShotLearner:
    """The network of one shot, taught."""

    def __init__(self, network: ShotNetwork) -> None:
        self._network = network.eval()

    @classmethod
    def taught(
        cls,
        keys: Sequence[Known],
        steps: int,
        others: Sequence[Seen] = (),
        told: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> ShotLearner:
        """Teach a new network; the same keys, others and steps give the same weights.

        Args:
            keys: frames whose masks are known; at least one.
            steps: of the optimiser, at least one.
            others: frames whose masks are not known. Once the network has an idea of the subject,
                what it takes for it there is papered over, and the rest is ground.
            told: is told how many are done, of how many.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            network = ShotNetwork()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.train()
        optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-3)
        pace = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, _RATE, total_steps=max(steps, 4), pct_start=0.15
        )
        grounds, lights = [known.ground for known in keys], lights_of(keys, others)
        first = round(steps * _FIRST) if others else steps
        told(0, steps)
        for done in range(1, steps + 1):
            if done == 1:
                lessons = _batches(keys, grounds, lights, range(1, first + 1))
            elif done == first + 1:
                grounds = grounds + cls(network).grounds_of(others, keys)
                network.train()
                lessons = _batches(keys, grounds, lights, range(done, steps + 1))
            planes, target, weight = next(lessons)
            loss = _loss(network(planes), target, weight)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            pace.step()
            told(done, steps)
        return cls(network)

    @classmethod
    def of(cls, weights: bytes) -> ShotLearner:
        """What `weights` gave.

        Raises:
            WeightsError: they are something else.
        """
        network = ShotNetwork()
        try:
            network.load_state_dict(safetensors.torch.load(weights))
        except (safetensors.SafetensorError, RuntimeError, ValueError) as error:
            raise WeightsError(
                "no network of a shot", where="learned.safetensors", fix="delete it"
            ) from error
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(network)

    def grounds_of(self, others: Sequence[Seen], keys: Sequence[Known]) -> list[Seen]:
        """Those frames without what most looks like the subject in each, and what goes along."""
        size = float(np.median([box_of(known.coverage)[2] for known in keys]))
        found = [with_what_goes_along(other, self.search(other, size)) for other in others]
        return [ground_of(*each) for each in zip(others, found, strict=True)]

    @property
    def weights(self) -> bytes:
        """The taught network as a safetensors file."""
        state = {name: values.contiguous() for name, values in self._network.state_dict().items()}
        return safetensors.torch.save(state)

    def search(self, picture: Seen, size: float) -> FloatArray:
        """What most looks like the subject, wherever it is: `h × w` within [0, 1].

        Looked for without a prior, in windows; the candidate that has most to it is taken.

        Args:
            picture: the frame, display-referred.
            size: usual longer side of the subject, pixels.
        """
        height, width = picture.shape[:2]
        found = np.zeros((height, width), np.float32)
        stride = max(size, _LEAST) * 0.8
        for y in _stops(height, stride):
            for x in _stops(width, stride):
                found = np.maximum(found, self.ask(picture, None, (x, y, size)))
        near = cv2.dilate((found > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8))
        count, labels = cv2.connectedComponents(near)
        weights = np.bincount(labels.ravel(), found.ravel(), minlength=count)[1:]
        best = 1 + int(np.argmax(weights)) if len(weights) else -1
        return np.where(labels == best, found, np.float32(0))

    @torch.inference_mode()
    def ask(self, picture: Seen, prior: FloatArray | None, place: Place) -> FloatArray:
        """How likely each pixel is the subject's, `h × w` within [0, 1]; 0 away from the place.

        Args:
            picture: the frame, display-referred.
            prior: `h × w`, what is thought of it so far; None where nothing is.
            place: where to look.
        """
        height, width = picture.shape[:2]
        x, y, size = place
        size = max(size * _AROUND, _LEAST)
        scale = size / SIDE
        view = np.array([[scale, 0, x - size / 2], [0, scale, y - size / 2]], np.float64)
        patch, flags = (SIDE, SIDE), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        rgb = cv2.warpAffine(
            picture, view, patch, flags=flags, borderMode=cv2.BORDER_REFLECT_101
        ).astype(np.float32)
        known: FloatArray | None = None
        if prior is not None:
            known = np.asarray(cv2.warpAffine(prior, view, patch, flags=flags), np.float32)
        planes = torch.from_numpy(planes_of(rgb, known))[None]
        logits: FloatArray = self._network(_laid_out(planes))[0, 0].numpy()
        back = cv2.warpAffine(
            logits, view, (width, height), flags=cv2.INTER_LINEAR, borderValue=(-12.0,)
        )
        return np.asarray(1 / (1 + np.exp(-back)), np.float32)


def _stops(length: int, stride: float) -> npt.NDArray[np.floating]:
    count = max(1, round(length / stride))
    return (np.arange(count) + 0.5) * (length / count)


def _batches(
    keys: Sequence[Known], grounds: list[Seen], lights: FloatArray, steps: range
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of lessons, each made beside the step before it: planes, targets, weights."""

    def batch(step: int) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng([_SEED, step])
        chosen = rng.integers(len(keys), size=_BATCH)
        made = [lesson(rng, keys[each], grounds, lights) for each in chosen]
        planes = torch.from_numpy(np.stack([each.planes for each in made]))
        target, weight = (
            torch.from_numpy(np.stack(values)[:, None])
            for values in ([each.target for each in made], [each.weight for each in made])
        )
        return _laid_out(planes), target, weight

    with ThreadPoolExecutor(1, "lessons") as beside:
        coming = beside.submit(batch, steps.start)
        for step in steps:
            ready = coming.result()
            if step + 1 < steps.stop:
                coming = beside.submit(batch, step + 1)
            yield ready


def _laid_out(planes: Tensor) -> Tensor:
    return planes.contiguous(memory_format=torch.channels_last)


def _loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of pixels, and how much of the subject and the answer do not overlap."""
    apart = nnf.binary_cross_entropy_with_logits(logits, target, reduction="none")
    said, true = logits.sigmoid() * weight, target * weight
    both = (said * true).sum((1, 2, 3))
    either = (said + true - said * true).sum((1, 2, 3))
    return (apart * weight).mean() + 0.5 * (1 - (both + 20) / (either + 20)).mean()
