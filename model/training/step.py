"""One training step as a whole; on a GPU it is recorded once and replayed without the host.

A step is some thousands of small operators: launched one by one, they leave a fast GPU idle most of
the time. Nothing in a step depends on a value that the host would have to read, so that a CUDA
graph holds all of it, batch included.
"""

import torch
from torch import nn

from model.adamatting import AdaMatting
from model.blocks import channels_last
from model.losses import MultiTaskLoss
from model.planes.colour_planes import colour_planes
from model.training.banks import Banks
from model.training.compose import compose
from model.training.recipe import Recipe

PARTS = ("trimap", "alpha", "sigma1", "sigma2", "norm")
"""What `TrainingStep.sums` adds up: the loss's parts, and the gradient's norm before clipping."""

_CLIP = 5.0
_WARM_UP = 3  # steps before recording, so that libraries have chosen and allocated


class TrainingStep:
    """Compose, forward, loss, backward, clip, Adam.

    Args:
        network: in training mode.
        loss: of Eq. 3.
        optimiser: over the parameters of both.
        banks: on the device.
        recipe: batch, precision, synthesis.
        generator: of all that is random in a batch; on a GPU that device's default one.

    Attributes:
        sums: of `PARTS` over the steps since the caller set it to zero; on the device.
    """

    def __init__(
        self,
        *,
        network: AdaMatting,
        loss: MultiTaskLoss,
        optimiser: torch.optim.Optimizer,
        banks: Banks,
        recipe: Recipe,
        generator: torch.Generator,
    ) -> None:
        self.network, self.loss, self.optimiser = network, loss, optimiser
        self.banks, self.recipe, self.generator = banks, recipe, generator
        self.sums = torch.zeros(len(PARTS), device=generator.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream: torch.cuda.Stream | None = None
        if generator.device.type == "cuda":
            self._stream = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]
        self._eager_steps = 0

    @property
    def recorded(self) -> bool:
        """Whether steps are replayed."""
        return self._graph is not None

    def __call__(self) -> None:
        """One step; the third on a GPU is followed by the recording."""
        if self._graph is not None:
            self._graph.replay()
            return
        if self._stream is None:
            self._step()
            return
        # What is recorded on a stream has to have been run on it.
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._step()
        torch.cuda.current_stream().wait_stream(self._stream)
        self._eager_steps += 1
        if self._eager_steps == _WARM_UP:
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self._stream):
                self._step()
            self._graph = graph

    def _step(self) -> None:
        recipe = self.recipe
        batch = compose(self.banks, recipe.batch, recipe.synthesis, self.generator)
        planes = None
        if self.network.config.colour_planes:
            planes = colour_planes(batch.image, batch.trimap)
        quarter = None
        if recipe.quarter:
            device = self.generator.device
            quarter = torch.randint(4, (1,), generator=self.generator, device=device)
        # Without the cache of casts: a recorded step has to cast the weights anew each time.
        with torch.autocast(
            self.generator.device.type,
            dtype=torch.bfloat16,
            enabled=recipe.precision == "bf16",
            cache_enabled=False,
        ):
            prediction = self.network(
                channels_last(batch.image), channels_last(batch.trimap), planes, quarter
            )
        total, parts = self.loss(prediction, batch.optimal, batch.alpha)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimiser.step()
        self.sums += torch.stack([*(parts[name] for name in PARTS[:-1]), norm.detach()])
