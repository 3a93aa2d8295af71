"""The errors, held to hand-computed cases, published values and what must not change them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.evaluation.metrics import (
    Confusion,
    conn,
    dtssd,
    grad,
    matte_errors,
    mse,
    optimal_trimap,
    sad,
)
from plugin.errors import RequestError

Array = npt.NDArray[Any]

UNKNOWN_ALL = np.full((12, 16), 128, np.uint8)


def bytes_matte(shape: tuple[int, int] = (12, 16)) -> st.SearchStrategy[Array]:
    """Mattes as PNG files hold them: multiples of 1/255."""
    levels = st.sampled_from([0, 1, 25, 26, 51, 102, 128, 153, 204, 254, 255])
    return hnp.arrays(np.uint8, shape, elements=levels).map(lambda a: a / 255)


def trimaps(shape: tuple[int, int] = (12, 16)) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 128, 255]))


def test_published_reference_values() -> None:
    """The case in mmagic's tests of GradientError and ConnectivityError, and their figures."""
    truth = np.ones((32, 32))
    trimap = np.zeros((32, 32), np.uint8)
    trimap[:16, :16] = 128
    trimap[16:, 16:] = 255
    alpha = (trimap == 255).astype(np.float32)
    errors = matte_errors(alpha, truth, trimap)
    assert errors.grad == pytest.approx(0.0028887, abs=5e-8)
    assert errors.conn == pytest.approx(0.256)
    assert errors.sad == pytest.approx(0.256)
    assert errors.mse == 1.0


def test_sad_and_mse_by_hand() -> None:
    alpha = np.array([[0.0, 0.5, 1.0, 0.25]])
    truth = np.array([[1.0, 0.25, 1.0, 0.75]])
    trimap = np.array([[0, 128, 128, 128]], np.uint8)
    assert sad(alpha, truth, trimap) == pytest.approx((0.25 + 0 + 0.5) / 1000)
    assert mse(alpha, truth, trimap) == pytest.approx((0.0625 + 0 + 0.25) / 3)


@pytest.mark.parametrize("label", [0, 255])
def test_nothing_unknown_is_no_error(label: int) -> None:
    trimap = np.full((12, 16), label, np.uint8)
    errors = matte_errors(np.zeros((12, 16)), np.ones((12, 16)), trimap)
    assert (errors.sad, errors.mse, errors.grad, errors.conn) == (0, 0, 0, 0)


def reference_gradient(alpha: Array) -> Array:
    """‖∇α‖ pixel by pixel, from the definition: the 9 × 9 kernel written out."""
    axis = np.arange(-4, 5)
    gauss = np.exp(-(axis**2) / (2 * 1.4**2)) / (1.4 * np.sqrt(2 * np.pi))
    kernel = np.outer(gauss, -axis * gauss / 1.4**2)
    kernel /= np.sqrt((kernel**2).sum())
    padded = np.pad(alpha, 4, mode="edge")
    magnitude = np.empty_like(alpha)
    for y, x in np.ndindex(alpha.shape):
        window = padded[y : y + 9, x : x + 9]
        magnitude[y, x] = np.hypot((window * kernel).sum(), (window * kernel.T).sum())
    return magnitude


def test_grad_follows_its_definition_up_to_the_border() -> None:
    rng = np.random.default_rng(3)
    alpha, truth = rng.random((12, 16)), rng.random((12, 16))
    for matte in (alpha, truth):
        matte.flat[:2] = 0, 1
    by_hand = ((reference_gradient(alpha) - reference_gradient(truth)) ** 2).sum() / 1000
    assert grad(alpha, truth, UNKNOWN_ALL) == pytest.approx(by_hand)


def test_grad_stretches_a_matte_to_its_full_range() -> None:
    ramp = np.tile(np.linspace(0, 1, 16), (12, 1))
    assert grad(0.3 + 0.4 * ramp, ramp, UNKNOWN_ALL) == pytest.approx(0, abs=1e-12)
    assert grad(np.full((12, 16), 0.4), np.zeros((12, 16)), UNKNOWN_ALL) < 1e-30


def test_conn_by_hand() -> None:
    """A source of 1, an islet that is connected up to 0.3 in both, and what each says of it."""
    truth = np.array([[1.0, 1.0, 1.0, 0.3, 0.9, 0.3]])
    alpha = np.array([[1.0, 1.0, 1.0, 0.3, 0.5, 0.4]])
    trimap = np.full(truth.shape, 128, np.uint8)
    # The islet at index 4 hangs on the bridge of 0.3 and is cut off above: l = 0.3. So
    # φ(truth) = 1 − 0.6, φ(alpha) = 1 − 0.2. The last pixel is within θ of l = 0.3: φ = 1 for both.
    assert conn(alpha, truth, trimap) == pytest.approx((0.6 - 0.2) / 1000)


def test_conn_counts_from_theta_on() -> None:
    truth = np.array([[1.0, 1.0, 0.0, 0.0]])
    for excess, error in ((0.14, 0.0), (0.15, 0.15), (0.16, 0.16)):
        alpha = np.array([[1.0, 1.0, excess, 0.0]])
        trimap = np.full(truth.shape, 128, np.uint8)
        assert conn(alpha, truth, trimap) == pytest.approx(error / 1000)


def test_conn_is_4_connected() -> None:
    truth = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    alpha = truth.copy()
    alpha[2, 2] = 0.5
    trimap = np.full(truth.shape, 128, np.uint8)
    # The corner touches the source only across: it is connected up to 0 alone.
    assert conn(alpha, truth, trimap) == pytest.approx(0.5 / 1000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [51, 102, 153, 204])
def test_conn_a_byte_on_a_level_reaches_it(level: int, dtype: type[np.floating[Any]]) -> None:
    """153 / 255 is 0.6: summed thresholds of 0.1 miss it."""
    truth = (np.array([[255, 255, level]]) / 255).astype(dtype)
    alpha = (np.array([[255, 255, level + 51]]) / 255).astype(dtype)
    trimap = np.array([[0, 0, 128]], np.uint8)
    # l is that level: φ is 1 − 0.2 and 1. Had the truth missed it, l would be 0.1 lower, and φ
    # 1 − 0.3 and, within θ, 1.
    assert conn(alpha, truth, trimap) == pytest.approx(0.2 / 1000)


def test_conn_of_equal_components_takes_the_first_column() -> None:
    truth = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    alpha = np.array([[0.0, 1.0], [0.0, 0.0], [0.8, 0.0]])
    trimap = np.full(truth.shape, 128, np.uint8)
    # To 0.8 the left one is the source and the right one, with φ equal in both, is cut off.
    assert conn(alpha, truth, trimap) == pytest.approx(0.2 / 1000)


@given(bytes_matte(), trimaps())
def test_a_perfect_matte_has_no_error(matte: Array, trimap: Array) -> None:
    errors = matte_errors(matte, matte.copy(), trimap)
    assert (errors.sad, errors.mse, errors.grad, errors.conn) == (0, 0, 0, 0)


@given(bytes_matte(), bytes_matte(), trimaps())
def test_errors_do_not_depend_on_which_is_the_truth(a: Array, b: Array, trimap: Array) -> None:
    there, back = matte_errors(a, b, trimap), matte_errors(b, a, trimap)
    for name in ("sad", "mse", "grad", "conn"):
        assert getattr(there, name) == pytest.approx(getattr(back, name))


@given(bytes_matte(), bytes_matte(), trimaps())
def test_local_errors_do_not_depend_on_orientation(a: Array, b: Array, trimap: Array) -> None:
    for turn in (np.flipud, np.fliplr, np.transpose):
        turned = [np.ascontiguousarray(turn(array)) for array in (a, b, trimap)]
        for error in (sad, mse, grad):
            assert error(*turned) == pytest.approx(error(a, b, trimap), abs=1e-12)


@given(bytes_matte(), bytes_matte(), trimaps())
def test_sad_adds_up_over_parts_of_the_unknown_region(a: Array, b: Array, trimap: Array) -> None:
    upper, lower = trimap.copy(), trimap.copy()
    upper[6:], lower[:6] = 0, 0
    for error in (sad, grad, conn):
        parts = error(a, b, upper) + error(a, b, lower)
        assert error(a, b, trimap) == pytest.approx(parts)


@settings(max_examples=40)
@given(bytes_matte(), bytes_matte())
def test_connected_level_follows_its_definition(a: Array, b: Array) -> None:
    """Against one more way to write it: flood fill from every pixel, no labelling."""
    level = np.full(a.shape, -1.0)
    for step in range(1, 11):
        both = ((a >= step / 10) & (b >= step / 10)).astype(np.uint8)
        source = largest_by_filling(both)
        level[(level == -1) & ~source] = (step - 1) / 10
    level[level == -1] = 1
    phi = [1 - np.where(m - level >= 0.15, m - level, 0) for m in (a, b)]
    assert conn(a, b, UNKNOWN_ALL) == pytest.approx(np.abs(phi[0] - phi[1]).sum() / 1000)


def largest_by_filling(pixels: Array) -> Array:
    best = np.zeros(pixels.shape, bool)
    left = pixels.copy()
    for x, y in np.ndindex(pixels.shape[::-1]):  # columns first
        if left[y, x] == 1:
            cv2.floodFill(left, None, (x, y), 2, flags=4)
            component = left == 2
            left[component] = 0
            if component.sum() > best.sum():
                best = component
    return best


def test_dtssd_by_hand() -> None:
    truths = [np.zeros((2, 2)), np.ones((2, 2)), np.ones((2, 2))]
    alphas = [np.zeros((2, 2)), np.full((2, 2), 0.5), np.array([[0.5, 0.5], [0.5, 1.0]])]
    # Changes 0.5 too small everywhere; then one pixel of four changes by 0.5 without cause.
    assert dtssd(alphas, truths) == pytest.approx(100 * (0.5 + 0.25) / 2)


@given(bytes_matte(), st.floats(-0.5, 0.5))
def test_dtssd_does_not_see_a_constant_offset(matte: Array, offset: float) -> None:
    truths = [matte, matte[::-1], matte]
    assert dtssd([t + offset for t in truths], truths) == pytest.approx(0, abs=1e-9)


def test_dtssd_of_fewer_than_two_frames_is_nothing() -> None:
    assert dtssd([], []) == 0
    assert dtssd([np.zeros((2, 2))], [np.ones((2, 2))]) == 0


def test_optimal_trimap_takes_bytes_exactly() -> None:
    matte = np.array([[0, 1, 128, 254, 255]]) / 255
    for dtype in (np.float32, np.float64):
        assert optimal_trimap(matte.astype(dtype)).tolist() == [[0, 128, 128, 128, 255]]
    sixteen = np.array([[100, 65535 - 100, 200]]) / 65535
    assert optimal_trimap(sixteen).tolist() == [[0, 255, 128]]


def test_accuracy_and_miou_by_hand() -> None:
    optimal = np.array([[0, 0, 128, 128, 255, 255, 255, 255]], np.uint8)
    adapted = np.array([[0, 128, 128, 128, 255, 255, 255, 0]], np.uint8)
    confusion = Confusion.of(adapted, optimal)
    assert confusion.counts == ((1, 1, 0), (0, 2, 0), (1, 0, 3))
    assert confusion.accuracy == pytest.approx(6 / 8)
    assert confusion.mean_iou == pytest.approx((1 / 3 + 2 / 3 + 3 / 4) / 3)


@given(trimaps(), trimaps(), trimaps(), trimaps())
def test_confusion_adds_up_over_images(a: Array, b: Array, c: Array, d: Array) -> None:
    together = Confusion.of(np.hstack([a, c]), np.hstack([b, d]))
    assert Confusion.of(a, b) + Confusion.of(c, d) == together
    assert Confusion.of(a, a).accuracy == Confusion.of(a, a).mean_iou == 1


def test_a_class_that_never_occurs_does_not_count() -> None:
    labels = np.full((4, 4), 255, np.uint8)
    assert Confusion.of(labels, labels).mean_iou == 1
    assert Confusion().accuracy == Confusion().mean_iou == 0


def test_sizes_have_to_agree() -> None:
    small, large = np.zeros((4, 4)), np.zeros((4, 5))
    trimap = np.zeros((4, 4), np.uint8)
    for error in (sad, mse, grad, conn):
        with pytest.raises(RequestError, match="different sizes"):
            error(large, small, trimap)
    with pytest.raises(RequestError, match="different sizes"):
        Confusion.of(trimap, np.zeros((4, 5), np.uint8))
    with pytest.raises(RequestError, match="1 mattes for 2"):
        dtssd([small], [small, small])
