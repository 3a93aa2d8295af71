"""`onnx` and `sam2`: small real networks, made here, run by the real libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import FrameError, MaskError
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare, run_first
from plugin.segmentation.neural.prompts import FramePrompt, parse_prompts
from plugin.synthetic import ShotKind, SyntheticShot
from plugin.types import FloatArray, Matter
from tests.jobs import creature
from tests.trimap_bench import SyntheticPlate
from workers.farm import plan_farm_job

pytestmark = pytest.mark.slow

PLATE = SyntheticPlate(SyntheticShot(ShotKind.GREEN, 1, 96, 64, frames=4))
SPEC = 'input_size = [48, 32]\nactivation = "sigmoid"\n'


def as_is(rgb: FloatArray) -> FloatArray:
    return rgb


def red_minus_green(path: Path) -> Path:
    """A network: 20 · (R − G), one convolution."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.array([20, -20, 0], np.float32).reshape(1, 3, 1, 1)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["logits"])],
        "keyer",
        [helper.make_tensor_value_info("image", kind, [1, 3, 32, 48])],
        [helper.make_tensor_value_info("logits", kind, [1, 1, 32, 48])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    path.with_suffix(".toml").write_text(SPEC)
    return path


def network_shot(folder: Path, path: Path) -> Shot:
    return Shot(plate="p", out=folder, segment="onnx", segment_model=str(path))


def test_an_onnx_network_masks_each_frame(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    shot = network_shot(tmp_path, red_minus_green(tmp_path / "net.onnx"))
    plan = prepare(shot, PLATE, as_is)
    assert plan.reason.startswith("onnx: net.onnx, sha256 ")
    segmenter = build(SegmentPlan.model_validate_json(plan.model_dump_json()), PLATE.info)
    for number in (1001, 1004):
        frame = PLATE.read(number)
        mask = segmenter.segment(frame)
        small = cv2.resize(frame.rgb, (48, 32), interpolation=cv2.INTER_AREA)
        logits = 20 * (small[..., 0] - small[..., 1])
        expected = cv2.resize(1 / (1 + np.exp(-logits)), (96, 64), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(mask.coverage, expected, atol=1e-5)
        again = build(plan, PLATE.info).segment(frame).coverage
        np.testing.assert_array_equal(mask.coverage, again)


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (None, "the network has no description"),
        ("input_size = [48, 32", "not TOML"),
        ("input_size = [48, 32]\nsize = 3", "size: Extra inputs"),
        ("input_size = [48]", "input_size.1: Field required"),
        ('input_size = [48, 32]\noutput = "mask"', "no output 'mask'"),
        ("input_size = [48, 32]\nchannel = 1", "no mask in channel 1"),
        ("input_size = [64, 32]", "the network fails"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, spec: str | None, what: str) -> None:
    pytest.importorskip("onnxruntime")
    path = red_minus_green(tmp_path / "net.onnx")
    if spec is None:
        path.with_suffix(".toml").unlink()
    else:
        path.with_suffix(".toml").write_text(spec)
    with pytest.raises(MaskError, match=what):
        prepare(network_shot(tmp_path, path), PLATE, as_is)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = red_minus_green(tmp_path / "net.onnx")
    plan = prepare(network_shot(tmp_path, path), PLATE, as_is)
    path.write_bytes(b"no network")
    with pytest.raises(MaskError, match="not an ONNX network"):
        prepare(network_shot(tmp_path, path), PLATE, as_is)
    with pytest.raises(FrameError, match="the network has changed"):
        build(plan, PLATE.info).segment(PLATE.read(1001))
    with pytest.raises(MaskError, match="no network given"):
        prepare(Shot(plate="p", out=tmp_path, segment="onnx"), PLATE, as_is)


@pytest.fixture(scope="module")
def tiny_sam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real class, a few thousand random weights, as `save_pretrained` leaves them."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    trunk = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        num_attention_heads=1,
        image_size=[64, 64],
        blocks_per_stage=[1, 2, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 2, 4, 2],
        global_attention_blocks=[4],
        window_positional_embedding_background_size=[4, 4],
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=[64, 32, 16, 8],
        fpn_hidden_size=128,
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
    )
    decoder: dict[str, Any] = {"mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
    config = transformers.Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": 64, "patch_size": 16},
        mask_decoder_config={"hidden_size": 128, **decoder},
        image_size=64,
        memory_attention_hidden_size=128,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_num_layers=1,
        memory_attention_num_attention_heads=1,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=64,
        memory_fuser_num_layers=1,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("sam")
    transformers.Sam2VideoModel(config).save_pretrained(folder)
    return folder


def key_mask(folder: Path) -> npt.NDArray[np.uint8]:
    pixels = np.zeros((64, 96), np.uint8)
    pixels[20:50, 30:60] = 255
    cv2.imwrite(str(folder / "key.png"), pixels)
    return pixels


def sam_shot(folder: Path, weights: Path, *prompts: str, keyed: bool = False) -> Shot:
    keys = (f"1002={folder / 'key.png'}",) if keyed else ()
    return Shot(
        plate="p",
        out=folder,
        segment="sam2",
        segment_model=str(weights),
        prompt=prompts,
        keyframe=keys,
        device="cpu",
    )


def no_network() -> Matter:
    raise AssertionError("SAM 2 has no use for the matting network")


def test_masks_of_another_device_are_others(
    tmp_path: Path, tiny_sam: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = sam_shot(tmp_path, tiny_sam, "1001=point:48,30")
    plan = prepare(shot, PLATE, as_is)
    run_first(plan, shot, PLATE, as_is, tmp_path / "track")
    before = (tmp_path / "track" / "track.json").read_bytes()
    monkeypatch.setattr("model.inference.device.kind_of", lambda _: "cuda sm_90")
    run_first(plan, shot, PLATE, as_is, tmp_path / "track")
    assert (tmp_path / "track" / "track.json").read_bytes() != before


@pytest.mark.parametrize(
    "prompts",
    [
        ("1001=box:20,10,70,60", "1001=not:2,2"),
        ("1001=point:48,30", "1004=point:50,30"),
    ],
)
def test_sam_masks_every_frame(tmp_path: Path, tiny_sam: Path, prompts: tuple[str, ...]) -> None:
    shot = sam_shot(tmp_path, tiny_sam, *prompts)
    plan = prepare(shot, PLATE, as_is)
    done = run_first(plan, shot, PLATE, as_is, tmp_path / "track", make_matter=no_network)
    segmenter = build(done, PLATE.info)
    for number in PLATE.info.frames:
        mask = segmenter.segment(PLATE.read(number))
        assert mask.coverage.shape == (64, 96)
        assert 0 <= mask.confidence <= 1
    before = (tmp_path / "track" / "track.1003.png").stat().st_mtime_ns
    assert run_first(plan, shot, PLATE, as_is, tmp_path / "track") == done
    assert (tmp_path / "track" / "track.1003.png").stat().st_mtime_ns == before


def test_a_farm_does_sams_pass_once_and_its_tasks_wait_for_it(
    tmp_path: Path, tiny_sam: Path
) -> None:
    shot = creature(tmp_path, frames=2).model_copy(update={"mask": None})
    told = {"segment": "sam2", "segment_model": str(tiny_sam), "prompt": ("1001=point:48,30",)}
    assert plan_farm_job(
        shot.model_copy(update={**told, "device": "cpu"}), QuietProgress()
    ).in_order


def test_sam_takes_a_key_mask_as_it_is(tmp_path: Path, tiny_sam: Path) -> None:
    key = key_mask(tmp_path)
    shot = sam_shot(tmp_path, tiny_sam, keyed=True)
    done = run_first(prepare(shot, PLATE, as_is), shot, PLATE, as_is, tmp_path / "track")
    mask = build(done, PLATE.info).segment(PLATE.read(1002))
    np.testing.assert_array_equal(mask.coverage, (key / 255).astype(np.float32))


def test_sam_refuses_what_it_cannot_do(tmp_path: Path, tiny_sam: Path) -> None:
    key_mask(tmp_path)
    with pytest.raises(MaskError, match="SAM 2 is told nothing"):
        prepare(sam_shot(tmp_path, tiny_sam), PLATE, as_is)
    with pytest.raises(MaskError, match="frames 1002 have a mask and points"):
        prepare(sam_shot(tmp_path, tiny_sam, "1002=point:1,1", keyed=True), PLATE, as_is)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MaskError, match="no such file"):
        prepare(sam_shot(tmp_path, empty, "1002=point:1,1"), PLATE, as_is)


def test_prompts_are_read() -> None:
    texts = ("1001=point:1,2", "1001=box:0,0,10,20.5", "1003=not:5, 6")
    assert parse_prompts(texts, PLATE.info) == {
        1001: FramePrompt(((1, 2, True),), (0, 0, 10, 20.5)),
        1003: FramePrompt(((5, 6, False),)),
    }


@pytest.mark.parametrize(
    "text",
    [
        "1001",
        "1001=point:1",
        "1001=point:1,2,3",
        "1001=point:a,b",
        "1001=point:1,.",
        "1001=point:97,2",
        "1009=point:1,2",
        "1001=box:10,10,5,20",
        "1001=circle:1,2",
    ],
)
def test_bad_prompts_are_refused(text: str) -> None:
    with pytest.raises(MaskError, match="--prompt"):
        parse_prompts((text,), PLATE.info)


@pytest.mark.parametrize("how", ["data elsewhere", "cut", "endless side", "no numbers"])
def test_hostile_networks_are_refused(tmp_path: Path, how: str) -> None:
    onnx = pytest.importorskip("onnx")
    path = red_minus_green(tmp_path / "net.onnx")
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        model = onnx.load(str(path))
        weights = model.graph.initializer[0]
        if how == "data elsewhere":
            weights.ClearField("raw_data")
            weights.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", "secret"), ("offset", "0"), ("length", "12")):
                entry = weights.external_data.add()
                entry.key, entry.value = key, value
            (tmp_path / "secret").write_bytes(b"\0" * 64)
        elif how == "endless side":
            weights.dims[0] = 1 << 60
        else:
            weights.raw_data = b"\xff" * len(weights.raw_data)
        path.write_bytes(model.SerializeToString())
    with pytest.raises(MaskError):
        prepare(network_shot(tmp_path, path), PLATE, as_is)
