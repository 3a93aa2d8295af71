"""An input plane of our own: colour's guess at alpha, made smooth along the picture's structure.

Not in the paper. α₀ of `model.planes.colour_planes` looks at every pixel alone; the matting
Laplacian (Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", PAMI 2008,
eq. 12) here ties neighbours together, and α₀ is a data term that counts where its colours are far
apart:

    α_L = argmin  αᵀ L α + Σ_i c_i (α_i − α₀_i)²      c = 100 where the trimap is known,
                                                      c = t s⁴ with s the separability elsewhere
    L_ij = Σ_w (δ_ij − (1 + (I_i − μ_w)ᵀ (Σ_w + ε/9 · 1)⁻¹ (I_j − μ_w)) / 9),  w the 3 × 3 windows

The data term is what makes it cheap: with it a few conjugate-gradient steps suffice, from a start
that coarser levels of the picture give, each carried to the next as local linear functions of
colour. A fixed number of steps, and only in blocks that hold something unknown, so that the cost is
linear in those. The picture itself is not solved for: what its half size says, carried to it, gave
the bench's photographs the same mattes at a third of the cost.

How far colour is to be trusted differs from picture to picture: t = 0.1 suits most photographs,
t = 0.003 those whose background near the subject is another than farther away, hair above all.
So both are solved for, α_L and α_C, and the network, which sees where they differ, chooses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.planes.active_blocks import ActiveBlocks, Neighbours, core
from model.planes.colour_moments import inverse, multiply
from model.planes.pyramid import double

STEPS = (10, 20, 30)
"""Conjugate-gradient steps on the picture's halves."""

KNOWN = 100.0
"""c where the trimap is known."""

WINDOW_EPSILON = 1e-5
"""ε: how far a window's colours may be from a line."""

TRUSTS = (0.1, 0.003)
"""t of α_L and of α_C."""

CARRY = 1e-4
"""Variance below which a window counts as flat when a level is carried to the next."""

_LEAST = 1e-6  # of c, so that the system has one solution even where colour says nothing
_SMALLEST = 3  # pixels: one window

_PLACES = [(y, x) for y in range(3) for x in range(3)]


def trust_in_colour(separability: Tensor, most: float | Tensor) -> Tensor:
    """The weight c of an unknown pixel's α₀, with t = `most`."""
    return most * separability**4 + _LEAST


@torch.no_grad()
def laplacian_lines(image: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """α_L as a linear function of colour around each pixel, to be read at twice the size.

    Args:
        image: N × 3 × H × W float32, display-referred, 0 to 1; H and W at least 3.
        weight: c, N × 1 × H × W float32; `KNOWN` where nothing is to be found.
        target: α₀, N × 1 × H × W float32, 0 to 1.

    Returns:
        N × 4 × H × W float32, three slopes and an offset; 0 far from anything unknown.
    """
    levels = levels_of(image, weight, target)
    steps, (picture, sure, guess) = next(levels)
    lines = _lines_of(picture, sure, guess, guess, steps)
    for steps, (picture, sure, guess) in levels:
        lines = double(lines)[..., : picture.shape[-2], : picture.shape[-1]]
        start = (lines[:, :3] * picture).sum(1, keepdim=True) + lines[:, 3:]
        lines = _lines_of(picture, sure, guess, start, steps)
    return lines


def levels_of(
    image: Tensor, weight: Tensor, target: Tensor
) -> Iterator[tuple[int, tuple[Tensor, Tensor, Tensor]]]:
    """The picture and its halves from the coarsest on, each with its conjugate-gradient steps."""
    levels = [(image, weight, target)]
    while len(levels) < len(STEPS) and min(levels[-1][0].shape[-2:]) > 2 * _SMALLEST:
        levels.append(_coarser(*levels[-1]))
    steps = (STEPS[-1], *STEPS[len(levels) - 2 :: -1])  # the coarsest has to converge
    return zip(steps, reversed(levels), strict=False)


def _lines_of(image: Tensor, weight: Tensor, target: Tensor, start: Tensor, steps: int) -> Tensor:
    start = torch.where(weight < KNOWN, start, target)
    return _lines_near(image, _solve(image, weight, target, start, steps), weight < KNOWN)


def _coarser(image: Tensor, weight: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Half the size: means, and of the targets the mean by weight."""
    coarse = mean_of_four(weight)
    return mean_of_four(image), coarse, mean_of_four(weight * target) / coarse


def mean_of_four(x: Tensor) -> Tensor:
    """Half the size, N × C × H × W; the last row or column of an odd size has fewer to its mean."""
    return nnf.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


@dataclass(frozen=True, slots=True)
class MattingLaplacian:
    """L as a stencil: each pixel's weight with the twelve neighbours ahead of it, and its diagonal.

    Attributes:
        diagonal: N × 1 × H × W.
        links: row offset, column offset and the weight L_ij = −w of each pair, at its first pixel.
    """

    diagonal: Tensor
    links: tuple[tuple[int, int, Tensor], ...]

    @classmethod
    def of(cls, image: Tensor, inside: Tensor | None = None) -> Self:
        """From N × 3 × H × W float32; H and W at least 3.

        Args:
            image: the colours.
            inside: N × 1 × H × W, 0 for pixels that no window may hold; by default none.
        """
        height, width = image.shape[-2:]
        parts = [image[..., y : height - 2 + y, x : width - 2 + x] for y, x in _PLACES]
        mean = torch.stack(parts).mean(0)
        away = [part - mean for part in parts]
        precision = _precision(away)
        share = mean.new_full((1, 1, 1, 1), 1 / 9)
        if inside is not None:  # of a window that is not wholly inside: nothing
            share = (nnf.avg_pool2d(inside, 3, 1) > 0.99).float() / 9
        links: dict[tuple[int, int], Tensor] = {}
        for second, (y2, x2) in enumerate(_PLACES):
            product = multiply(precision, away[second])
            pulled = [product[:, channel : channel + 1] for channel in range(3)]
            for first, (y1, x1) in enumerate(_PLACES[:second]):
                offset = (y2 - y1, x2 - x1)
                if offset not in links:
                    links[offset] = image.new_zeros(len(image), 1, height, width)
                pair = torch.ones_like(pulled[0])
                for channel, pull in enumerate(pulled):
                    pair.addcmul_(away[first][:, channel : channel + 1], pull)
                target = links[offset][..., y1 : height - 2 + y1, x1 : width - 2 + x1]
                target.addcmul_(pair, share)
        diagonal = image.new_zeros(len(image), 1, height, width)
        kept = []
        for (dy, dx), weight in links.items():
            one, other = _ends(dy, dx, height, width)
            inner = weight[..., *one].contiguous()
            diagonal[..., *one] += inner
            diagonal[..., *other] += inner
            kept.append((dy, dx, inner))
        return cls(diagonal=diagonal, links=tuple(kept))

    def __call__(self, p: Tensor) -> Tensor:
        """L p, N × 1 × H × W."""
        out = self.diagonal * p
        for dy, dx, weight in self.links:
            one, other = _ends(dy, dx, p.shape[-2], p.shape[-1])
            out[..., *one].addcmul_(weight, p[..., *other], value=-1)
            out[..., *other].addcmul_(weight, p[..., *one], value=-1)
        return out


def _ends(dy: int, dx: int, height: int, width: int) -> tuple[tuple[slice, slice], ...]:
    """Where the first and the second pixels of all pairs with that offset are; dy is ≥ 0."""
    columns = slice(max(0, -dx), width - max(0, dx))
    shifted = slice(max(0, dx), width - max(0, -dx))
    return (slice(0, height - dy), columns), (slice(dy, height), shifted)


def _precision(away: list[Tensor]) -> Tensor:
    """(Σ_w + ε/9 · 1)⁻¹ of each window, six planes.

    Inverted in float64: with a window's colours on a line the condition number is 10⁵, and an
    inverse that is not positive makes the conjugate gradients diverge.
    """
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    planes = [torch.stack([d[:, a] * d[:, b] for d in away]).mean(0) for a, b in pairs]
    covariance = torch.stack(planes, dim=1).double()
    covariance[:, (0, 3, 5)] += WINDOW_EPSILON / 9
    return inverse(covariance).float()


def _solve(image: Tensor, weight: Tensor, target: Tensor, start: Tensor, steps: int) -> Tensor:
    """Conjugate gradients with the diagonal as preconditioner, on (L + C) α = C α₀.

    In the blocks that hold something unknown; `start` stands elsewhere.
    """
    blocks = ActiveBlocks.of(weight < KNOWN)
    if not len(blocks):
        return start
    laplacian = MattingLaplacian.of(blocks.gather(image), blocks.inside())
    weight, target = core(blocks.gather(weight)), core(blocks.gather(target))
    precondition = 1 / (core(laplacian.diagonal) + weight)
    begin = blocks.gather(start)
    x = core(begin)
    residual = weight * (target - x) - core(laplacian(begin))
    direction = residual * precondition
    size = blocks.dot(residual, direction)
    with_halos = Neighbours(blocks)
    for _ in range(steps):
        image_of = core(laplacian(with_halos(direction))) + weight * direction
        bend = blocks.dot(direction, image_of)
        # A sample that has converged to rounding stands still instead of dividing by nothing.
        step = torch.where(bend > 1e-9, size / bend.clamp_min(1e-9), 0)
        x = x + step * direction
        residual = residual - step * image_of
        z = residual * precondition
        before, size = size, blocks.dot(residual, z)
        direction = z + size / before.clamp_min(1e-20) * direction
    return blocks.scatter(x, start)


def _lines_near(image: Tensor, alpha: Tensor, active: Tensor) -> Tensor:
    """`_as_lines` where twice the size, interpolated, has something active; 0 elsewhere."""
    blocks = ActiveBlocks.of(nnf.max_pool2d(active.float(), 3, stride=1, padding=1))
    out = image.new_zeros(len(image), 4, *image.shape[-2:])
    if not len(blocks):
        return out
    return blocks.scatter(core(_as_lines(blocks.gather(image), blocks.gather(alpha))), out)


def _as_lines(image: Tensor, alpha: Tensor) -> Tensor:
    """Alpha around each pixel as a linear function of colour: N × 4 × H × W, three slopes, offset.

    The guided filter's coefficients (He, Sun, Tang, ECCV 2010, eq. 5 to 8, colour guide).
    """
    mean, mean_alpha = _box(image), _box(alpha)
    r, g, b = torch.chunk(image, 3, dim=1)
    second = _box(torch.cat((r * r, r * g, r * b, g * g, g * b, b * b), dim=1))
    r, g, b = torch.chunk(mean, 3, dim=1)
    second = second - torch.cat((r * r, r * g, r * b, g * g, g * b, b * b), dim=1)
    second[:, (0, 3, 5)] += CARRY
    slope = multiply(inverse(second), _box(image * alpha) - mean * mean_alpha)
    offset = mean_alpha - (slope * mean).sum(1, keepdim=True)
    return _box(torch.cat((slope, offset), dim=1))


def _box(x: Tensor) -> Tensor:
    """Means of 3 × 3, the edge repeated."""
    x = nnf.pad(x, (1, 1, 1, 1), mode="replicate")
    x = (x[..., :-2, :] + x[..., 1:-1, :]).add_(x[..., 2:, :])
    return (x[..., :-2] + x[..., 1:-1]).add_(x[..., 2:]).mul_(1 / 9)
