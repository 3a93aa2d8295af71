"""Eq. 2 to 5 by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from model.losses import MultiTaskLoss, alpha_loss, laplacian_loss, trimap_loss
from model.prediction import Prediction
from model.training.trimaps import optimal_trimap


def logits_of(*labels: int, strength: float = 2.0) -> Tensor:
    logits = torch.zeros(1, 3, 1, len(labels))
    for x, label in enumerate(labels):
        logits[0, label, 0, x] = strength
    return logits


def row(*values: float) -> Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def test_optimal_trimap_is_eq_2() -> None:
    alpha = row(0, 0.002, 0.01, 0.5, 0.99, 0.998, 1)
    assert optimal_trimap(alpha).flatten().tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_trimap_loss_is_the_mean_cross_entropy() -> None:
    prediction = Prediction(logits_of(0, 1), (row(0, 0),))
    right = -math.log(math.exp(2) / (math.exp(2) + 2))
    wrong = -math.log(1 / (math.exp(2) + 2))
    loss = trimap_loss(prediction, torch.tensor([[[[0, 2]]]]))
    assert loss.item() == pytest.approx((right + wrong) / 2, abs=1e-6)


def test_alpha_loss_is_eq_4_over_the_unknown_region_of_the_prediction() -> None:
    prediction = Prediction(logits_of(1, 0, 1, 2), (row(0.5, 9, 0.25, 9),))
    loss = alpha_loss(prediction, row(0.25, 0, 0.75, 1))
    assert loss.item() == pytest.approx((0.25 + 0.5) / 2)


def test_alpha_loss_without_unknown_pixels_is_zero_and_has_a_gradient() -> None:
    alpha = row(0.5, 0.5).requires_grad_()
    loss = alpha_loss(Prediction(logits_of(0, 2), (alpha,)), row(0, 1))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert alpha.grad is not None


def test_multi_task_loss_is_eq_3_at_its_start() -> None:
    prediction = Prediction(logits_of(1, 0), (row(0.5, 0),))
    optimal, truth = torch.tensor([[[[1, 0]]]]), row(0.25, 0)
    total, parts = MultiTaskLoss()(prediction, optimal, truth)
    l_t, l_alpha = parts["trimap"].item(), parts["alpha"].item()
    assert (parts["sigma1"].item(), parts["sigma2"].item()) == pytest.approx((4, 4))
    expected = l_t / (2 * 16) + l_alpha / 4 + math.log(2 * 4 * 4)
    assert total.item() == pytest.approx(expected, abs=1e-6)


def test_sigmas_are_learned_towards_the_optimum_of_eq_3() -> None:
    # d/dσ₁ = 0 at σ₁² = L_T, d/dσ₂ = 0 at σ₂ = L_α.
    loss = MultiTaskLoss()
    prediction = Prediction(logits_of(1, 2), (row(0.9, 1),))
    optimal, truth = torch.tensor([[[[1, 0]]]]), row(0.4, 0)
    optimiser = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(400):
        total, parts = loss(prediction, optimal, truth)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    assert parts["sigma1"].item() == pytest.approx(math.sqrt(parts["trimap"].item()), rel=1e-2)
    assert parts["sigma2"].item() == pytest.approx(parts["alpha"].item(), rel=1e-2)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_fixed_weights_are_eq_5(weight: float) -> None:
    prediction = Prediction(logits_of(1, 0), (row(0.5, 0),))
    optimal, truth = torch.tensor([[[[1, 0]]]]), row(0.25, 0)
    total, parts = MultiTaskLoss(fixed_weight=weight)(prediction, optimal, truth)
    expected = (1 - weight) * parts["trimap"] + weight * parts["alpha"]
    assert total.item() == pytest.approx(expected.item(), abs=1e-6)


def test_laplacian_loss_is_zero_for_the_truth_and_blind_outside_the_unknown_region() -> None:
    truth = torch.rand(1, 1, 32, 32)
    logits = torch.zeros(1, 3, 32, 32)
    logits[:, 1, :16] = 3
    logits[:, 0, 16:] = 3
    alpha = truth.clone()
    alpha[..., 16:, :] = 7
    assert laplacian_loss(Prediction(logits, (alpha,)), truth).item() == 0
    assert laplacian_loss(Prediction(logits, (truth + 0.1,)), truth).item() > 0
