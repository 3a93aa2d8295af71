"""What training makes of a picture as cameras and codecs do."""

from __future__ import annotations

import av
import numpy as np
import torch

from model.training.degrade import _sharpened, _with_half_the_chroma, degrade, jitter_colour
from model.training.draw import Draw
from model.training.geometry import blur


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(count: int, seed: int = 0) -> Draw:
    return Draw(count, generator(seed))


def test_degraded_pictures_stay_pictures_of_eight_bits() -> None:
    image = jitter_colour(torch.rand(4, 3, 61, 67), draw(4), hue=30)
    out = degrade(image, draw(4, 1))
    assert out.shape == image.shape
    assert torch.allclose(out * 255, (out * 255).round(), atol=1e-3)
    assert 0 <= out.min() <= out.max() <= 1


def test_half_the_chroma_is_what_a_video_file_keeps() -> None:
    # PyAV's own way to 4:2:0 and back, in full range, differs by rounding and where chroma lies.
    picture = blur(torch.rand(1, 3, 64, 80, generator=generator()), torch.tensor([1.2]))
    found = _with_half_the_chroma(picture)[0].permute(1, 2, 0).numpy()
    codes = (picture[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(codes, format="rgb24")
    there = frame.reformat(format="yuvj420p", dst_colorspace="ITU601")
    back = there.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray() / 255
    inner = (slice(4, -4), slice(4, -4))
    ours, file_s, apart = (
        np.abs(one - other)[inner].mean()
        for one, other in ((found, codes / 255), (back, codes / 255), (found, back))
    )
    assert 0.7 * file_s < ours < 1.3 * file_s
    assert apart < 0.75 * file_s


def test_a_sharpened_edge_has_rims_and_a_flat_picture_none() -> None:
    edge = torch.full((1, 3, 8, 8), 0.25)
    edge[..., 4:] = 0.75
    out = _sharpened(edge, torch.ones(1, 1, 1, 1))
    assert (out[..., 3] < 0.2).all()
    assert (out[..., 4] > 0.8).all()
    assert torch.equal(out[..., :3], edge[..., :3])


def test_colours_turn_but_greys_stay_grey() -> None:
    grey = torch.full((16, 3, 8, 8), 0.5)
    out = jitter_colour(grey, draw(16), hue=180)
    assert (out.amax(dim=1) - out.amin(dim=1)).max() < 0.2  # white balance alone
