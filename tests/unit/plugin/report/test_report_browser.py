"""The report in a real browser, from disk: Chromium without a window."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from plugin.exr.alpha_file import read_alpha
from plugin.progress.lines import printable
from plugin.report.build import build_report
from plugin.report.preview import COMP_COLOUR
from plugin.request.shot import Shot
from tests.browser import shown
from tests.reports import NASTY, nasty_result, plain_result

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return plain_result(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    shot = nasty_result(tmp_path_factory.mktemp("nasty"))
    build_report(shot.out)
    return shot


def number(page: Page) -> int:
    return int(page.evaluate("Viewer.frame"))


def wipe(page: Page) -> float:
    value = page.evaluate("document.getElementById('v-stage').style.getPropertyValue('--wipe')")
    return float(value.rstrip("%"))


def test_wipe_zoom_and_frames_by_keys_and_pointer(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.locator("#sheet .tile[data-kind=comp]").first.click()
        assert page.locator("#viewer").is_visible()
        assert number(page) == 1001
        for key, frame in (
            ("ArrowRight", 1002),
            ("End", 1006),
            ("ArrowLeft", 1005),
            ("Home", 1001),
        ):
            page.keyboard.press(key)
            assert number(page) == frame
        subject = page.evaluate("100 * Report.data.frames[0].x")
        assert wipe(page) == pytest.approx(subject, abs=0.5)  # it goes through the subject
        began = wipe(page)
        page.keyboard.press(".")
        assert wipe(page) == pytest.approx(began + 5, abs=0.01)
        box = page.locator("#v-stage").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 20)
        page.mouse.up()
        assert wipe(page) == pytest.approx(20, abs=0.6)
        clip = page.locator(".layer.above").evaluate("e => getComputedStyle(e).clipPath")
        assert clip.startswith("inset(0px 0px 0px 20")
        page.keyboard.press("2")  # plate, trimap: the left picture
        page.keyboard.press("Shift+Digit3")
        assert page.locator("#v-left").input_value() == "trimap"
        assert page.locator("#v-right").input_value() == "adapted"
        for _ in range(4):
            page.keyboard.press("+")
        wide = page.locator("#v-stage").evaluate("e => [e.clientWidth, e.className]")
        assert wide == [96 * 8, "pixels"]
        shown_at = page.locator(".layer.above img").evaluate(
            "e => [e.naturalWidth, e.naturalHeight]"
        )
        assert shown_at == [96, 64]
        page.keyboard.press("Escape")
        assert not page.locator("#viewer").is_visible()


def test_the_comp_is_put_together_right(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.evaluate("Viewer.open(1003, 'comp')")
        page.keyboard.press("+")  # 100 %
        for _ in range(20):
            page.keyboard.press(",")
        assert wipe(page) == 0
        page.locator("#v-box").uncheck()
        page.wait_for_function(
            "() => [...document.querySelectorAll('.above img')].every(i => i.complete)"
        )
        page.locator(".edge").evaluate("e => e.remove()")
        png = page.locator("#v-stage").screenshot()
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    (plate,) = (plain.out / "report/full").glob("1003.*.plate.jpg")
    front = cv2.imread(str(plate), cv2.IMREAD_COLOR_RGB)
    assert seen is not None
    assert front is not None
    alpha = read_alpha(plain.out / "alpha" / f"{plain.name}_alpha.1003.exr").alpha[..., None]
    wanted = alpha * front + (1 - alpha) * 255 * np.array(COMP_COLOUR, np.float32)
    assert np.abs(seen.astype(np.float32) - wanted).max() <= 3


def test_the_film_plays(browser: Browser, plain: Shot) -> None:
    with shown(browser, plain.out) as page:
        page.locator("#video").evaluate("v => v.play()")
        page.wait_for_function("() => document.getElementById('video').currentTime > 0.05")
        page.locator("#video-open").click()
        assert 1001 <= number(page) <= 1006


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_the_screen_and_can_be_read(
    browser: Browser, nasty: Shot, width: int, scheme: str
) -> None:
    size = {"width": width, "height": 700}
    with shown(browser, nasty.out, viewport=size, color_scheme=scheme) as page:
        for part in page.locator("details").all():
            part.evaluate("e => { e.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for chosen in (
            "body",
            ".state",
            ".problems li",
            ".problems a",
            "nav a",
            ".note",
            "dt",
            "pre",
        ):
            part = page.locator(chosen).first
            assert contrast(part.evaluate(_COLOURS)) >= 4.5, chosen
        nameless = page.evaluate(
            "[...document.querySelectorAll('img')].filter(i => !i.hasAttribute('alt')).length"
        )
        assert nameless == 0
        page.evaluate("Viewer.open(1001)")
        assert page.evaluate("document.getElementById('viewer').scrollWidth") <= width


_COLOURS = """element => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  let behind = element;
  while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) {
    behind = behind.parentElement;
  }
  return [numbers(getComputedStyle(element).color),
          numbers(getComputedStyle(behind).backgroundColor)];
}"""


def contrast(colours: list[list[float]]) -> float:
    """WCAG 2: the ratio of the relative luminances."""
    light = []
    for colour in colours:
        values = np.array(colour[:3]) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ np.array([0.2126, 0.7152, 0.0722])))
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_texts_of_others_are_shown_as_text(browser: Browser, nasty: Shot) -> None:
    with shown(browser, nasty.out) as page:
        assert page.locator("h1").inner_text() == printable(NASTY)
        assert page.title().startswith("<script>alert('1')</script>")
        assert printable(NASTY) in page.locator("#rows").inner_text()
        page.evaluate("Viewer.open(1003)")
        assert printable(NASTY) in page.locator("#v-said").inner_text()
        page.keyboard.press("Escape")
        page.locator("#table summary").click()
        page.locator("#table tbody tr").first.wait_for()  # filled in an event that comes later
        assert printable(NASTY) in page.locator("#table").inner_text()
        assert page.locator(".problems strong").all_inner_texts() == ["failed", "missing"]
        assert page.evaluate("document.scripts.length") == 8


def test_an_override_is_copied_whole(browser: Browser, plain: Shot) -> None:
    rights = ["clipboard-read", "clipboard-write"]
    with shown(browser, plain.out, permissions=rights) as page:
        item = page.locator(".worst > li").first
        item.locator("summary").click()
        item.locator("button.copy").click()
        page.wait_for_function(
            "() => document.querySelector('.worst button.copy').textContent == 'Copied'"
        )
        text = page.evaluate("navigator.clipboard.readText()")
        assert json.loads(text)["schema"] == "trimap-override/1"


def test_of_many_frames_only_those_near_the_screen_have_pictures(
    browser: Browser, plain: Shot, tmp_path: Path
) -> None:
    shutil.copytree(plain.out / "report", tmp_path / "report")
    file = tmp_path / "report/data.js"
    head = "window.ADAMATTE = "
    data = json.loads(file.read_text().removeprefix(head).rstrip(";\n"))
    data["frames"] = [{**data["frames"][n % 6], "n": 1001 + n} for n in range(2000)]
    file.write_text(head + json.dumps(data))
    images = "document.querySelectorAll('#sheet-frames img').length"
    with shown(browser, tmp_path) as page:
        assert page.locator("#sheet-frames .row").count() == 12
        page.locator("#sheet-count").select_option("all")
        page.wait_for_function(
            "() => document.querySelectorAll('#sheet-frames .row').length == 2000"
        )
        page.locator("#sheet-frames .row").last.scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('.row:last-child img') !== null")
        page.wait_for_function(f"() => {images} < 400")
        page.locator("#sheet-range").fill("1500-1520x5")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelectorAll('#sheet-frames .row').length == 5")
