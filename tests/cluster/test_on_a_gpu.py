"""What only a real card can show; without one these are skipped. Three minutes on one H100.

python -m pytest tests/cluster/test_on_a_gpu.py -s
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from model import Matter
from model.inference.gpu_memory import card_bytes
from model.inference.on_device import OnDevice
from model.inference.weight_files import find_weights, read_config
from plugin.driver.run import run
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.result.verify import verify
from plugin.synthetic.loads import load_frame, load_trimap, write_load
from plugin.types import UNKNOWN, FloatArray, LabelArray
from tests.campaign.actors import FlakyCardActor
from tests.jobs import alphas
from workers.cluster import Cluster
from workers.ray_executor import RayExecutor

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]

Precision = Literal["fp32", "bf16", "fp16"]

HD, UHD = (1920, 1080), (3840, 2160)


def picture(size: tuple[int, int] = HD, index: int = 0) -> tuple[FloatArray, LabelArray]:
    """A frame with a tenth of it unknown."""
    rgb, mask = load_frame(*size, index)
    return rgb, load_trimap(mask, 0.1)


def said(text: str) -> None:
    """A figure, for whoever asks with `-s`."""
    sys.stdout.write(f"\n{text}\n")


def off(one: FloatArray, other: FloatArray, trimap: LabelArray) -> FloatArray:
    """Differences in the unknown region."""
    found: FloatArray = np.abs(one - other)[trimap == UNKNOWN]
    return found


@pytest.fixture(scope="module")
def on_cpu() -> tuple[LabelArray, FloatArray]:
    return Matter("lite", device="cpu")(*picture())


@pytest.mark.parametrize(("precision", "share"), [("fp32", 0.01), ("bf16", 0.03), ("fp16", 0.01)])
def test_a_matte_is_near_the_cpus(
    on_cpu: tuple[LabelArray, FloatArray], precision: Precision, share: float
) -> None:
    image, trimap = picture()
    adapted, alpha = Matter("lite", device="cuda", precision=precision)(image, trimap)
    difference = off(alpha, on_cpu[1], trimap)
    over, flips = (difference > 2 / 255).mean(), (adapted != on_cpu[0]).mean()
    said(
        f"{precision}: {over:.3%} of the unknown pixels off by more than 2/255, mean"
        f" {difference.mean():.5f}, worst {difference.max():.3f}; T̂ differs in {flips:.3%}"
    )
    assert over < share
    assert flips < 0.002


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_pixels_again_in_any_order_and_company(precision: Precision) -> None:
    matter = Matter("lite", device="cuda", precision=precision)
    first = [matter(*picture(index=index)) for index in (0, 1, 2)]
    other = Matter("lite", device="cuda", precision=precision)
    busy = torch.cuda.Stream()
    square = torch.rand(4096, 4096, device="cuda")
    for index in (2, 0, 1):
        with torch.cuda.stream(busy):
            for _ in range(20):
                square = square @ square
        again = other(*picture(index=index))
        assert np.array_equal(again[0], first[index][0])
        assert np.array_equal(again[1], first[index][1])


@pytest.mark.parametrize("size", [HD, UHD])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_worker_takes_more_of_a_card_than_was_counted(
    size: tuple[int, int], precision: Precision
) -> None:
    matter = Matter("lite", device="cuda", precision=precision)
    image, trimap = picture(size)
    matter(image, trimap)
    free, total = torch.cuda.mem_get_info()
    held = total - free - torch.cuda.memory_reserved()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    matter(image, trimap)
    peak, pixels = torch.cuda.max_memory_reserved(), size[0] * size[1]
    counted = card_bytes(read_config(find_weights("lite")), precision, pixels, 2048)
    said(
        f"{size[1]}p {precision}: {peak / pixels:.0f} bytes a pixel reserved,"
        f" {torch.cuda.max_memory_allocated() / pixels:.0f} allocated; {held / 1e6:.0f} MB beside;"
        f" counted {counted / 1e9:.2f} GB"
    )
    assert peak < counted


def test_a_card_without_room_is_survived_in_smaller_tiles() -> None:
    image, trimap = picture(UHD)
    matter = Matter("lite", device="cuda")
    expected = matter(image, trimap)[1]
    small, before = Matter("lite", device="cuda"), matter.digest
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    pixels = UHD[0] * UHD[1]
    filler = torch.empty(free - 230 * pixels, dtype=torch.uint8, device="cuda")
    alpha = small(image, trimap)[1]
    del filler
    said(f"with {230 * pixels / 1e9:.1f} GB: tiles of {small.inference.largest}")
    assert (small.inference.largest or 0) < 2048
    assert small.digest != before
    assert (off(alpha, expected, trimap) > 2 / 255).mean() < 0.03


_BREAKS = """
import sys, numpy as np, torch
from model import Matter
from plugin.errors import DeviceError
matter = Matter("lite", device="cuda")
trimap = np.full((96, 96), 128, np.uint8); trimap[:, :20], trimap[:, -20:] = 0, 255
image = np.zeros((96, 96, 3), np.float32)
matter(image, trimap)
try:
    torch.zeros(4, device="cuda")[torch.full((4,), 9, device="cuda")]
    torch.cuda.synchronize()
except RuntimeError as error:
    print(type(error).__name__)
for make in (lambda: matter(image, trimap), lambda: Matter("lite", device="cuda")):
    try:
        make()
    except DeviceError as error:
        print("told:", error)
"""


def test_a_context_that_is_broken_is_told_as_the_devices_failure() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BREAKS], capture_output=True, text=True, check=False
    )
    said(done.stdout)
    assert done.stdout.count("told: it failed: CUDA error") == 2, done.stderr


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    folder = tmp_path_factory.mktemp("gpu")
    files = write_load(folder / "plate", 960, 540, frames=24, unknown=0.1)
    return Shot(
        plate=str(files.plate),
        mask=str(files.mask),
        out=folder / "out",
        report=False,
        stabilise=1,
        device="cuda",
    )


@pytest.fixture(scope="module")
def matte(shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Shot]:
    """Does the job with so many workers on the card."""

    def done(workers: int, chunk: int, actor: type | None = None) -> Shot:
        asked = shot.model_copy(
            update={"out": tmp_path_factory.mktemp("out") / "o", "chunk": chunk}
        )
        cluster = Cluster(None, workers, 1 / max(4, workers), device="cuda", gpus=1)
        run(asked, executor=RayExecutor(cluster, retries=2, actor=actor))
        assert verify(asked.out).complete
        return asked

    return done


@pytest.mark.ray
def test_the_same_pixels_for_any_number_of_workers_and_after_failures(
    matte: Callable[..., Shot],
) -> None:
    alone = alphas(matte(1, 24))
    assert len(alone) == 24
    assert alphas(matte(4, 5)) == alone
    broken = matte(3, 4, FlakyCardActor)
    assert alphas(broken) == alone
    assert (broken.out.parent / "breaks").read_text()
    records = load(OutputLayout.of(broken).manifest).frames.values()
    assert len({record.device for record in records}) == 1


def test_a_recorded_frame_is_the_launched_one_to_the_bit() -> None:
    matter = Matter("lite", device="cuda")
    frames = [picture(index=index) for index in range(5)]
    recorded = [matter(*frame) for frame in frames]
    assert isinstance(matter.inference, OnDevice)
    said(f"recording: {matter.inference._recorder.refused or 'done'}")
    assert matter.inference._recorder.refused == ""
    for frame, (adapted, alpha) in zip(frames, recorded, strict=True):
        launched = Matter("lite", device="cuda")(*frame)  # the first time of a kind
        assert (launched[0] == adapted).all()
        assert (launched[1] == alpha).all()
