"""What CUDA, cuDNN and cuBLAS say when they fail, and what is made of it."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from model import Matter
from model.inference.device import device_told, exact, out_of_memory
from model.inference.weight_files import find_weights
from model.matter import network_digest
from plugin.errors import DeviceError
from plugin.framerange import FrameRange
from plugin.types import UNKNOWN, FloatArray, LabelArray
from workers.waiting import Hand, Waiting

NO_ROOM = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total …"),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be …"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
]
BROKEN = [
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    torch.AcceleratorError("CUDA error: unspecified launch failure"),
    torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(…)`"),
    RuntimeError("No CUDA GPUs are available"),
    RuntimeError("Found no NVIDIA driver on your system."),
]
OTHERS = [
    RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to …"),
    ValueError("CUDA, but no error of its"),
]


@pytest.mark.parametrize("error", NO_ROOM, ids=str)
def test_no_room_is_told_as_such(error: RuntimeError) -> None:
    assert out_of_memory(error)
    with pytest.raises(DeviceError, match="out of memory · cuda"), device_told("cuda"):
        raise error


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_failure_is_told_in_its_own_words(error: RuntimeError) -> None:
    assert not out_of_memory(error)
    with pytest.raises(DeviceError) as told, device_told("cuda"):
        raise error
    assert str(error) in str(told.value)


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_what_is_not_the_devices_stays_what_it_was(error: Exception) -> None:
    with pytest.raises(type(error)), device_told("cpu"):
        raise error


def test_float32_is_float32_while_a_frame_is_matted() -> None:
    matter, seen = Matter("lite", device="cpu"), []

    def look(*_given: object) -> None:
        flags = torch.backends.cudnn
        seen.append((flags.allow_tf32, flags.deterministic, flags.benchmark))

    matter.network.encoder.register_forward_pre_hook(look)
    before = torch.backends.cudnn.allow_tf32
    matter(*picture())
    assert set(seen) == {(False, True, False)}
    assert torch.backends.cudnn.allow_tf32 == before
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        with exact():
            assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False


def picture(side: int = 256) -> tuple[FloatArray, LabelArray]:
    rng = np.random.default_rng(2)
    trimap = np.full((side, side), UNKNOWN, np.uint8)
    trimap[:, :40], trimap[:, -40:] = 0, 255
    return rng.random((side, side, 3), dtype=np.float32), trimap


@pytest.mark.parametrize("error", NO_ROOM[:4], ids=str)
def test_smaller_tiles_have_the_failed_tries_memory_and_a_digest_of_their_own(
    error: RuntimeError,
) -> None:
    matter = Matter("lite", device="cpu", tile="256")
    before = matter.digest
    failed: list[weakref.ref[torch.Tensor]] = []

    def refuse_large(_module: object, inputs: Sequence[torch.Tensor]) -> None:
        assert all(one() is None for one in failed)
        if inputs[0].shape[-1] > 224:
            failed.append(weakref.ref(inputs[0]))
            raise type(error)(str(error))  # another: this one would keep its traceback

    matter.network.encoder.register_forward_pre_hook(refuse_large)
    matter(*picture())
    assert len(failed) == 1
    assert matter.inference.largest == 128
    assert matter.digest != before
    weights = find_weights("lite").sha256
    assert matter.digest == network_digest(weights, "fp32", "cpu", 128)


def test_a_device_that_fails_is_told_of_once_and_not_tried_in_smaller_tiles() -> None:
    matter, calls = Matter("lite", device="cpu"), []

    def fail(*_given: object) -> None:
        calls.append(1)
        raise BROKEN[0]

    matter.network.encoder.register_forward_pre_hook(fail)
    with pytest.raises(DeviceError, match="illegal memory access"):
        matter(*picture())
    assert len(calls) == 1


def test_a_digest_names_whatever_changes_pixels() -> None:
    kinds = [
        ("w", "fp32"),
        ("v", "fp32"),
        ("w", "bf16"),
        ("w", "fp32", "cpu", 512),
        ("w", "fp32", "cpu", None),
        ("w", "fp32", "cuda sm_90", 1024),
        ("w", "fp32", "cuda sm_80", 1024),
        ("w", "fp32", "cuda sm_90", 2048),
    ]
    assert len({network_digest(*kind) for kind in kinds}) == len(kinds)  # type: ignore[arg-type]


def hand(done: int = 0) -> Hand:
    return Hand(None, done=done)


def test_frames_that_broke_a_device_come_last_and_go_to_another() -> None:
    waiting = Waiting([FrameRange.parse("1-2"), FrameRange.parse("3-4")])
    bad, good = hand(done=5), hand(done=5)
    hands = [bad, good]
    assert waiting.next_for(bad, hands) == deque([1, 2])
    assert not waiting.broke(bad, [1, 2])  # either may have
    waiting.put_off(1, 2)
    assert waiting.next_for(good, hands) == deque([3, 4])
    assert waiting.next_for(bad, hands) == deque()
    assert waiting.next_for(good, hands) == deque([1])
    assert waiting.broke(good, [1])  # alone, in a process that had done others
    waiting.put_off(1)
    assert waiting.next_for(good, hands) == deque([2])
    assert waiting.next_for(bad, hands) == deque([1])  # both failed at it: whoever asks
    assert not waiting


def test_a_device_that_has_done_nothing_yet_speaks_against_no_frame() -> None:
    waiting = Waiting([])
    fresh, other = hand(), hand()
    assert not waiting.broke(fresh, [7])
    assert not waiting.broke(fresh, [7])
    assert not waiting.broke(other, [7])  # two that never did anything
    assert waiting.broke(hand(done=1), [7])
    assert waiting.broke(other, [7])  # one that did has failed at it too
