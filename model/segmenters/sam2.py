"""Segment Anything 2 over a shot, through Hugging Face transformers: prompts in, masks out.

https://huggingface.co/docs/transformers/model_doc/sam2_video
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as nnf

from model.inference.device import choose_device
from plugin.errors import FrameError, MaskError
from plugin.types import FloatArray

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, with which every published SAM 2 was trained."""

_BOX_CORNERS = (2, 3)
"""SAM 2's labels of a box's upper left and lower right corner; 1 is subject, 0 background."""


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What a person said of one frame: a mask, or points and a box.

    Attributes:
        points: x, y and whether it is the subject; pixels of the plate.
        box: x and y of the upper left and of the lower right corner; None without.
        mask: `H × W`, above 0.5 where the subject is; None without.
    """

    points: tuple[tuple[float, float, bool], ...] = ()
    box: tuple[float, float, float, float] | None = None
    mask: FloatArray | None = None


class Sam2:
    """SAM 2's video model, loaded.

    Args:
        weights: a folder as `save_pretrained` writes it, or a name on the Hugging Face hub.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        MaskError: transformers is not installed, or the weights are missing or of another model.
        DeviceError: there is no such device.
    """

    def __init__(self, weights: str, *, device: str = "auto") -> None:
        self.device = torch.device(choose_device(device))
        self._model = _load(weights).to(self.device).eval()
        size = self._model.config.vision_config.backbone_config.image_size
        self._size = int(size[0] if isinstance(size, Sequence) else size)

    @torch.inference_mode()
    def follow(
        self,
        numbers: Sequence[int],
        read: Callable[[int], FloatArray],
        prompts: Mapping[int, Prompt],
    ) -> Iterator[tuple[int, FloatArray, float]]:
        """Masks of all frames: from the first prompt on, then back from it.

        Args:
            numbers: the frames in ascending order.
            read: a display-referred frame, `H × W × 3` within [0, 1]. Frames are read when they are
                needed and not kept.
            prompts: at least one, by frame.

        Yields:
            Number, coverage `H × W` float32 (the sigmoid of SAM's logits), and how likely SAM finds
            it that the subject is there, 0 to 1.
        """
        height, width = read(numbers[0]).shape[:2]
        session = self._session(_Frames(numbers, lambda n: self._planes(read(n))), (height, width))
        places = {number: place for place, number in enumerate(numbers)}
        for number, prompt in sorted(prompts.items()):
            self._add(session, places[number], prompt, (height, width))
            self._model(session, frame_idx=places[number])
        first = places[min(prompts)]
        for backwards in (False, True):
            steps = self._model.propagate_in_video_iterator(
                session, start_frame_idx=first, reverse=backwards
            )
            for step in steps:
                if backwards and step.frame_idx == first:
                    continue
                yield numbers[step.frame_idx], *_mask(step, (height, width))

    def _session(self, frames: _Frames, size: tuple[int, int]) -> Any:  # noqa: ANN401
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        session: Any = Sam2VideoInferenceSession(
            video_height=size[0],
            video_width=size[1],
            inference_device=self.device,
            inference_state_device=self.device,
            dtype=torch.float32,
        )
        session.processed_frames = frames
        return session

    def _add(self, session: Any, place: int, prompt: Prompt, size: tuple[int, int]) -> None:  # noqa: ANN401
        subject = session.obj_id_to_idx(1)
        if prompt.mask is not None:
            side = (self._size, self._size)
            small = cv2.resize(prompt.mask, side, interpolation=cv2.INTER_AREA)
            solid = torch.from_numpy((np.asarray(small) > 0.5).astype(np.float32))
            session.add_mask_inputs(subject, place, solid[None, None].to(self.device))
        else:
            corners = [] if prompt.box is None else [prompt.box[:2], prompt.box[2:]]
            labels = [*_BOX_CORNERS[: len(corners)], *(int(inside) for *_, inside in prompt.points)]
            points = [*corners, *((x, y) for x, y, _ in prompt.points)]
            scale = torch.tensor([self._size / size[1], self._size / size[0]])
            session.add_point_inputs(
                subject,
                place,
                {
                    "point_coords": (torch.tensor(points) * scale)[None, None].to(self.device),
                    "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None].to(
                        self.device
                    ),
                },
            )
        session.obj_with_new_inputs = [1]

    def _planes(self, rgb: FloatArray) -> torch.Tensor:
        side = (self._size, self._size)
        small = np.asarray(cv2.resize(rgb, side, interpolation=cv2.INTER_AREA), np.float32)
        planes = (small - np.array(_MEAN, np.float32)) / np.array(_STD, np.float32)
        return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))


class _Frames(Mapping[int, torch.Tensor]):
    """A shot as SAM's session asks for it: by place, read when asked, the last one kept."""

    def __init__(self, numbers: Sequence[int], read: Callable[[int], torch.Tensor]) -> None:
        self._numbers = numbers
        self._read = read
        self._last: tuple[int, torch.Tensor] | None = None

    def __getitem__(self, place: int) -> torch.Tensor:
        if self._last is None or self._last[0] != place:
            self._last = place, self._read(self._numbers[place])
        return self._last[1]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._numbers)))

    def __len__(self) -> int:
        return len(self._numbers)


def _mask(step: Any, size: tuple[int, int]) -> tuple[FloatArray, float]:  # noqa: ANN401
    logits = step.pred_masks[:1].float()
    grown = nnf.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    coverage = torch.sigmoid(grown)[0, 0].cpu().numpy()
    if not np.isfinite(coverage).all():
        raise FrameError("what it puts out is no number", where="SAM 2", fix="take other weights")
    scores = getattr(step, "object_score_logits", None)
    seen = 1.0 if scores is None else float(torch.sigmoid(scores.float()).flatten()[0])
    return np.asarray(coverage, np.float32), seen


def _load(weights: str) -> Any:  # noqa: ANN401  a torch module of an optional package
    try:
        from transformers import Sam2VideoModel
        from transformers.utils import logging
    except ImportError as error:
        raise MaskError(
            "transformers is not installed",
            where="--segment sam2",
            fix="pip install 'adamatte[sam2]'",
        ) from error
    # stderr is for errors and for this program's own progress.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    local = Path(weights).is_dir()
    try:
        return Sam2VideoModel.from_pretrained(
            weights, local_files_only=local, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise MaskError(
            f"SAM 2's weights cannot be loaded: {lines[0][:120]}",
            where=weights,
            fix="give a folder with config.json and model.safetensors, or a name on the hub",
        ) from error
