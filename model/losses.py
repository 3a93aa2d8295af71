"""The multi-task loss of section 3.3, Eq. 3 to 5."""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from model.prediction import Prediction


def trimap_loss(prediction: Prediction, optimal: Tensor) -> Tensor:
    """L_T: cross entropy between T̃ and T_opt (N × 1 × H × W int64)."""
    return nnf.cross_entropy(prediction.trimap.float(), optimal[:, 0])


def alpha_loss(prediction: Prediction, alpha: Tensor) -> Tensor:
    """L_α of Eq. 4: L1 over the unknown region of T̃, the mean of α̃ and of every recurrence.

    Args:
        prediction: of the network.
        alpha: α_gt, N × 1 × H × W.
    """
    unknown = (prediction.adapted == 1).to(alpha.dtype)
    count = unknown.sum().clamp_min(1)
    errors = [(unknown * (a.float() - alpha).abs()).sum() / count for a in prediction.alphas]
    return torch.stack(errors).mean()


def laplacian_loss(prediction: Prediction, alpha: Tensor, levels: int = 4) -> Tensor:
    """Ours, off by default: L1 between Laplacian pyramids of the last alpha and α_gt.

    In the unknown region of T̃ only: outside of it T̂ decides, so α_gt stands for α̂ there.
    """
    unknown = prediction.adapted == 1
    error = torch.where(unknown, prediction.alphas[-1].float() - alpha, 0)
    total = error.new_zeros(())
    count = unknown.sum().clamp_min(1)
    for level in range(levels):
        coarse = nnf.avg_pool2d(error, 2)
        detail = error - nnf.interpolate(coarse, scale_factor=2, mode="bilinear")
        total = total + 2.0**level * detail.abs().sum() * 4.0**level / count / 2.0**levels
        error = coarse
    return total


class MultiTaskLoss(nn.Module):
    """Eq. 3: L_T / 2σ₁² + L_α / σ₂ + log 2σ₁σ₂, σ₁ and σ₂ learned.

    The logarithms of σ are the parameters, so that both stay positive.

    Args:
        fixed_weight: σ of Eq. 5, (1 − σ) L_T + σ L_α, for the ablation; None is Eq. 3.
        laplacian: weight of `laplacian_loss` beside L_α.
        sigmas: σ₁ and σ₂ at the start; the paper's are 4.
    """

    def __init__(
        self,
        *,
        fixed_weight: float | None = None,
        laplacian: float = 0.0,
        sigmas: tuple[float, float] = (4.0, 4.0),
    ) -> None:
        super().__init__()
        self.fixed_weight = fixed_weight
        self.laplacian = laplacian
        self.log_sigma = nn.Parameter(torch.tensor([math.log(sigma) for sigma in sigmas]))

    def forward(
        self, prediction: Prediction, optimal: Tensor, alpha: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its parts for the log: L_T, L_α, σ₁, σ₂.

        Args:
            prediction: of the network.
            optimal: T_opt, N × 1 × H × W int64.
            alpha: α_gt, N × 1 × H × W.
        """
        l_t = trimap_loss(prediction, optimal)
        l_alpha = alpha_loss(prediction, alpha)
        task = l_alpha
        if self.laplacian:
            task = task + self.laplacian * laplacian_loss(prediction, alpha)
        sigma1, sigma2 = self.log_sigma.exp()
        if self.fixed_weight is not None:
            total = (1 - self.fixed_weight) * l_t + self.fixed_weight * task
        else:
            total = l_t / (2 * sigma1**2) + task / sigma2 + torch.log(2 * sigma1 * sigma2)
        parts = {"trimap": l_t, "alpha": l_alpha, "sigma1": sigma1, "sigma2": sigma2}
        return total, {name: part.detach() for name, part in parts.items()}
