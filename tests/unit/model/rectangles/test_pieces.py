"""Rectangles of a frame as tensors."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from model.rectangles.pieces import as_picture, piece
from model.rectangles.regions import Rectangle


def test_a_frame_that_must_not_be_written_is_taken_as_it_is() -> None:
    frame = np.arange(4 * 6 * 3, dtype=np.float32).reshape(4, 6, 3)
    frame.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = as_picture(piece(frame, Rectangle(0, 0, 4, 6)), torch.device("cpu"))
    assert picture.shape == (1, 3, 4, 6)
    assert picture.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(picture[0].permute(1, 2, 0).numpy(), frame)


def test_beyond_the_edge_the_last_pixel_goes_on() -> None:
    frame = np.arange(4 * 5 * 3, dtype=np.float32).reshape(4, 5, 3)
    seen = as_picture(piece(frame, Rectangle(2, 3, 6, 8)), torch.device("cpu"))[0]
    rows, columns = np.minimum(np.arange(2, 6), 3), np.minimum(np.arange(3, 8), 4)
    assert np.array_equal(seen.permute(1, 2, 0).numpy(), frame[rows][:, columns])
