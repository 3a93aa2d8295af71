"""What the viewer shows of a frame, in a real browser, from disk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from tests.browser import shown
from tests.reports import plain_result

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return plain_result(tmp_path_factory.mktemp("plain"))


def settled(page: Page) -> None:
    """All pictures of the viewer are there."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('#v-stage img')].every(i => i.complete)"
    )


def stage(page: Page) -> Any:
    """What the viewer shows of the right picture, `h × w × 3`, at 100 %."""
    page.evaluate(
        "() => { const z = document.getElementById('v-zoom'); z.value = '1';"
        " z.dispatchEvent(new Event('change'));"
        " const w = document.getElementById('v-wipe'); w.value = 0;"
        " w.dispatchEvent(new Event('input')); }"
    )
    page.locator("#v-box").uncheck()
    page.locator(".edge").evaluate("e => e.remove()")
    settled(page)
    png = page.locator("#v-stage").screenshot()
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert seen is not None
    return seen.astype(np.float32)


def test_the_change_from_the_frame_before_is_shown(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.evaluate("Viewer.open(1003, 'change')")
        seen = stage(page)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert "no change" in page.locator(".above .none").inner_text()  # 1001 has none before it
    before, after = (
        read_alpha(plain.out / "alpha" / f"{plain.name}_alpha.{n}.exr").alpha for n in (1002, 1003)
    )
    wanted = np.minimum(255, 4 * np.abs(np.rint(after * 255) - np.rint(before * 255)))
    assert np.abs(seen - wanted[..., None]).max() <= 4
    assert wanted.max() > 50


def test_trimap_and_edge_over_the_plate(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.evaluate("Viewer.open(1003, 'band')")
        seen = stage(page)
    (plate,) = (plain.out / "report/full").glob("1003.*.plate.jpg")
    front = np.asarray(cv2.imread(str(plate), cv2.IMREAD_COLOR_RGB), np.float32)
    trimap = cv2.imread(
        str(plain.out / "trimap" / f"{plain.name}_trimap.1003.png"), cv2.IMREAD_GRAYSCALE
    )
    assert trimap is not None
    alpha = read_alpha(plain.out / "alpha" / f"{plain.name}_alpha.1003.exr").alpha
    edge = cv2.dilate((alpha >= 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edge &= alpha < 0.5
    away = cv2.dilate(edge.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    for label, colour in ((0, (229, 26, 26)), (255, (0, 217, 77))):
        where = (trimap == label) & away
        wanted = 0.6 * front[where] + 0.4 * np.array(colour, np.float32)
        assert np.abs(seen[where] - wanted).max() <= 6, label
    unknown = (trimap == 128) & away
    assert np.abs(seen[unknown] - front[unknown]).max() <= 3
    yellow = seen[edge & (trimap == 128)]
    assert (yellow[:, :2] > 200).all(axis=1).mean() > 0.9
    assert (yellow[:, 2] < 60).mean() > 0.9


def test_the_pixel_under_the_pointer_is_read_out(browser: Browser, plain: Shot) -> None:
    number, (x, y) = 1003, (50, 30)
    with shown(browser, plain.out) as page:
        page.evaluate(f"Viewer.open({number}, 'alpha')")
        page.keyboard.press("+")
        settled(page)
        box = page.locator("#v-stage").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + x + 0.5, box["y"] + y + 0.5)
        told = page.locator("#v-pixel")
        page.wait_for_function("() => Readout.at(Report.data.frames[2].v, 0, 0)")
        page.mouse.move(box["x"] + x + 0.6, box["y"] + y + 0.5)
        text = told.inner_text()
    alpha = read_alpha(plain.out / "alpha" / f"{plain.name}_alpha.{number}.exr").alpha[y, x]
    (plate,) = (plain.out / "report/full").glob(f"{number}.*.plate.jpg")
    rgb = np.asarray(cv2.imread(str(plate), cv2.IMREAD_COLOR_RGB))[y, x]
    assert text.startswith(f"x {x} y {y} · plate ")
    told_rgb = [int(v) for v in text.split("plate ")[1].split(" ·")[0].split()]
    assert np.abs(np.array(told_rgb) - rgb).max() <= 2  # another decoder of JPEG
    assert float(text.split("alpha ")[1].split(" ")[0]) == pytest.approx(float(alpha), abs=1e-4)
    kinds = {0: "background", 128: "unknown", 255: "subject"}
    for kind in ("trimap", "adapted"):
        picture = cv2.imread(
            str(plain.out / kind / f"{plain.name}_{kind}.{number}.png"), cv2.IMREAD_GRAYSCALE
        )
        assert picture is not None
        assert f"{kind} {kinds[int(picture[y, x])]}" in text


def test_it_plays_in_the_viewer(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.evaluate("Viewer.open(1001, 'alpha')")
        page.keyboard.press(" ")
        assert page.locator("#v-play").get_attribute("aria-pressed") == "true"
        page.wait_for_function("() => Viewer.frame === 1006")
        page.wait_for_function("() => Viewer.frame === 1002")  # and round again
        page.locator("#v-play").click()
        assert page.locator("#v-play").get_attribute("aria-pressed") == "false"
        page.keyboard.press("Escape")
        assert not page.locator("#viewer").is_visible()


def test_a_small_picture_shows_no_row_of_the_next(browser: Browser, plain: Shot) -> None:
    """Along its bottom it is what alpha is there; what lies below it in the sprite is not."""
    with shown(browser, plain.out, device_scale_factor=1.5) as page:
        tile = page.locator("#sheet .tile[data-kind=alpha]").first
        tile.scroll_into_view_if_needed()
        tile.locator("img").evaluate("e => e.decode()")
        tile.evaluate("e => e.querySelectorAll('.box').forEach(box => box.remove())")
        box = tile.bounding_box()
        assert box is not None
        left, top = math.ceil(box["x"]), math.ceil(box["y"])
        wide = math.floor(box["x"] + box["width"]) - left
        high = math.floor(box["y"] + box["height"]) - top
        png = page.screenshot(clip={"x": left, "y": top, "width": wide, "height": high})
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert seen is not None
    inner = seen[:, 4:-4].astype(int)
    alpha = read_alpha(plain.out / "alpha" / f"{plain.name}_alpha.1001.exr").alpha
    across = cv2.resize(alpha[-1:], (inner.shape[1], 1), interpolation=cv2.INTER_LINEAR)[0] * 255
    assert np.abs(inner[-4] - across).mean() <= 12  # the box may end within a pixel
