"""The network: shapes, the paper's rules, its ablations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from model.adamatting import AdaMatting, Decoder, Encoder
from model.blocks import ConvLSTMCell, GlobalConvolution, Upsample
from model.config import CONFIGS, AdaMattingConfig
from model.prediction import Prediction
from tests.networks import TINY


def inputs(size: int = 64, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, size, size, generator=generator)
    labels = torch.zeros(2, 1, size, size, dtype=torch.int64)
    labels[..., size // 3 : 2 * size // 3] = 1
    labels[..., 2 * size // 3 :] = 2
    return image, torch.cat([(labels == k).float() for k in range(3)], dim=1)


@pytest.mark.parametrize(
    "ablation",
    [
        {},
        {"propagation": False},
        {"trimap_decoder": False},
        {"shared_encoder": False},
        {"global_convolutions": False},
        {"subpixel": False},
        {"bottleneck": True},
        {"colour_planes": False},
        {"recurrences": 1},
    ],
    ids=lambda ablation: ",".join(ablation) or "full",
)
def test_every_variant_has_the_paper_s_outputs_and_learns(ablation: dict[str, Any]) -> None:
    config = replace(TINY, **ablation)
    network = AdaMatting(config).train()
    image, trimap = inputs()
    prediction = network(image, trimap)
    assert prediction.trimap.shape == (2, 3, 64, 64)
    recurrences = config.recurrences if config.propagation else 0
    assert len(prediction.alphas) == 1 + recurrences
    assert all(alpha.shape == (2, 1, 64, 64) for alpha in prediction.alphas)
    (prediction.alphas[-1].square().mean() + prediction.trimap.square().mean()).backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == []


def test_final_alpha_is_0_and_1_where_the_adapted_trimap_says_so() -> None:
    logits = torch.zeros(1, 3, 1, 4)
    for x, label in enumerate((0, 1, 2, 1)):
        logits[0, label, 0, x] = 5
    alpha = torch.tensor([0.7, 0.3, 0.2, 1.4]).view(1, 1, 1, 4)
    prediction = Prediction(trimap=logits, alphas=(alpha,))
    assert prediction.adapted.flatten().tolist() == [0, 1, 2, 1]
    assert prediction.alpha.flatten().tolist() == pytest.approx([0, 0.3, 1, 1])


@pytest.mark.parametrize(
    ("odds", "alpha", "final"),
    [
        (0.55, 0.8, 1.0),  # unsure, but alpha is near
        (0.55, 0.65, 0.65),  # unsure, and alpha says otherwise
        (0.65, 0.1, 1.0),  # sure enough
    ],
)
def test_where_the_adapted_trimap_wavers_and_alpha_contradicts_alpha_counts(
    odds: float, alpha: float, final: float
) -> None:
    logits = torch.tensor([(1 - odds) / 2, (1 - odds) / 2, odds]).log().view(1, 3, 1, 1)
    for label, value, expected in ((2, alpha, final), (0, 1 - alpha, 1 - final)):
        there = logits if label == 2 else logits.flip(1)
        prediction = Prediction(trimap=there, alphas=(torch.tensor(value).view(1, 1, 1, 1),))
        assert prediction.adapted.item() == label
        assert prediction.alpha.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["encoder.stem.0.weight", "a_decoder.shortcuts.1.0.weight"])
def test_weights_from_before_an_input_plane_go_on_without_it(name: str) -> None:
    config = replace(TINY, colour_planes=True)
    state = AdaMatting(config).state_dict()
    old = {**state, name: state[name][:, :-1].clone()}
    network = AdaMatting(config)
    network.load_state_dict(old)
    found = network.state_dict()[name]
    assert torch.equal(found[:, :-1], state[name][:, :-1])
    assert (found[:, -1] == 0).all()


def test_without_t_decoder_the_input_trimap_stands() -> None:
    network = AdaMatting(replace(TINY, trimap_decoder=False)).eval()
    image, trimap = inputs()
    with torch.inference_mode():
        adapted = network(image, trimap).adapted
    assert torch.equal(adapted, trimap.argmax(dim=1, keepdim=True))


def test_shortcuts_are_deep_and_middle_for_t_and_middle_and_shallow_for_a() -> None:
    network = AdaMatting(TINY)
    assert set(network.t_decoder.shortcuts) == {"16", "8", "4"}
    assert set(network.a_decoder.shortcuts) == {"8", "4", "2", "1"}
    isolated = replace(TINY, global_convolutions=False)
    assert not [m for m in AdaMatting(isolated).modules() if isinstance(m, GlobalConvolution)]


def test_encoder_s_features_have_the_sizes_they_are_named_by() -> None:
    features = Encoder(TINY)(torch.rand(1, TINY.planes, 64, 96))
    sizes = {factor: tuple(f.shape[-2:]) for factor, f in features.items()}
    assert sizes == {k: (64 // k, 96 // k) for k in (1, 2, 4, 8, 16, 32)}


@pytest.mark.parametrize(("name", "most"), [("resnet50", 31.5e6), ("lite", 5e6)])
def test_sizes(name: str, most: float) -> None:
    with torch.device("meta"):
        network = AdaMatting(CONFIGS[name])
    assert sum(p.numel() for p in network.parameters()) < most


@pytest.mark.parametrize("subpixel", [True, False])
def test_upsampling_doubles(subpixel: bool) -> None:
    assert Upsample(4, 6, subpixel=subpixel)(torch.rand(2, 4, 5, 7)).shape == (2, 6, 10, 14)


def test_global_convolution_reaches_as_far_as_its_kernel_and_no_further() -> None:
    block = GlobalConvolution(1, 1, 7).eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(1.0)
        for last in (block.left[-1], block.right[-1]):
            assert isinstance(last, torch.nn.Conv2d)
            assert last.bias is not None
            last.bias.zero_()
    pulse = torch.zeros(1, 1, 21, 21)
    still = block(pulse)
    pulse[0, 0, 10, 10] = 1
    touched = (block(pulse) - still)[0, 0].abs() > 1e-6
    assert touched[7:14, 7:14].all()
    assert touched.sum() == 49


def test_conv_lstm_is_the_equations() -> None:
    cell = ConvLSTMCell(1, 1)
    with torch.no_grad():
        cell.gates.weight.zero_()
        assert cell.gates.bias is not None
        cell.gates.bias.copy_(torch.tensor([0.5, -0.25, 1.0, 0.75]))
    h = torch.zeros(1, 1, 1, 1)
    c = torch.full((1, 1, 1, 1), 2.0)
    h, c = cell(torch.zeros(1, 1, 1, 1), h, c)
    i, f, o, g = (torch.tensor(v) for v in (0.5, -0.25, 1.0, 0.75))
    expected = torch.sigmoid(f) * 2.0 + torch.sigmoid(i) * torch.tanh(g)
    assert c.item() == pytest.approx(expected.item(), abs=1e-6)
    assert h.item() == pytest.approx((torch.sigmoid(o) * torch.tanh(expected)).item(), abs=1e-6)


def test_planes_of_a_whole_frame_can_be_given_to_a_piece_of_it() -> None:
    from model.planes.colour_planes import colour_planes

    network = AdaMatting(TINY).eval()
    image, trimap = inputs()
    with torch.inference_mode():
        planes = colour_planes(image, trimap)
        given, own = network(image, trimap, planes), network(image, trimap)
    assert torch.equal(given.alphas[-1], own.alphas[-1])


def test_a_configuration_survives_a_checkpoint_s_metadata() -> None:
    import json

    for config in CONFIGS.values():
        assert AdaMattingConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config
    with pytest.raises(TypeError):
        AdaMattingConfig.from_dict({**TINY.as_dict(), "wings": 2})


def test_decoders_differ_in_their_output_layer_and_shortcuts_alone() -> None:
    t, a = Decoder(TINY, (16, 8, 4), outputs=3), Decoder(TINY, (8, 4, 2, 1), outputs=1)

    def spine(decoder: Decoder) -> list[tuple[str, tuple[int, ...]]]:
        parts = ("neck", "ups", "merges")
        items = decoder.named_parameters()
        return [(n, tuple(p.shape)) for n, p in items if n.startswith(parts)]

    assert spine(t) == spine(a)


@pytest.mark.parametrize("number", range(4))
def test_a_quarter_of_a_patch_is_propagated_as_in_the_whole(number: int) -> None:
    network = AdaMatting(TINY).eval()
    image = torch.rand(2, 3, 128, 192)
    trimap = torch.nn.functional.one_hot(torch.randint(3, (2, 128, 192))).movedim(-1, 1).float()
    whole = network(image, trimap)
    part = network(image, trimap, quarter=torch.tensor([number]))
    assert torch.equal(part.alphas[0], whole.alphas[0])
    rows = slice(64 * (number // 2), 64 * (number // 2) + 64)
    columns = slice(96 * (number % 2), 96 * (number % 2) + 96)
    reach = 21  # of three recurrences, seven 3 × 3 convolutions each
    for one, other in zip(part.alphas[1:], whole.alphas[1:], strict=True):
        assert not torch.equal(one[..., rows, columns], part.alphas[0][..., rows, columns])
        inner = (one - other)[..., rows, columns][..., reach:-reach, reach:-reach]
        assert inner.abs().max() < 1e-5
        outside = (one - part.alphas[0]).clone()
        outside[..., rows, columns] = 0
        assert (outside == 0).all()
