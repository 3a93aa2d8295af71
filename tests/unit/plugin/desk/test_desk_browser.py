"""The desk in a real browser: Chromium without a window, against the real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugin.cli import main
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.trimap.override import load
from tests.desk_pages import (
    WHOLE,
    alpha_of,
    corrections,
    drag,
    file_of,
    info_of,
    key,
    press,
    rules_in,
    seen,
    shown,
    spot,
    wait_for_file,
)
from tests.desks import OpenDesk, open_desk, stroke
from tests.jobs import creature

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    made = creature(tmp_path_factory.mktemp("desk"))
    return made.model_copy(update={"executor": "process", "report": True})


@pytest.fixture(scope="module")
def opened(made: Shot) -> Iterator[OpenDesk]:
    with open_desk(made) as desk:
        yield desk


@pytest.fixture
def desk(opened: OpenDesk, made: Shot) -> OpenDesk:
    """A desk without corrections, once it has seen that there are none."""
    file_of(made).unlink(missing_ok=True)
    client = opened.client()
    while (told := client.get("/api/rules"))["rules"] or told["broken"]:
        time.sleep(0.1)
    return opened


def test_paint_see_the_alpha_change_undo_and_run_gives_the_same(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    with shown(browser, desk) as page:
        assert "token" not in page.url
        key(page, "ArrowRight", "ArrowRight", "4")
        assert page.locator("#number").input_value() == "1003"
        page.mouse.move(2, 2)
        before = seen(page)
        plain = alpha_of(page, 1003)
        key(page, "b", "f")
        drag(page, (10, 8), (60, 8), (60, 20))
        corrections(page, 1)
        page.mouse.move(2, 2)
        page.locator(WHOLE).wait_for()
        painted = alpha_of(page, 1003)
        assert not np.array_equal(painted, plain)
        assert painted[1, 3] == 1
        (rule,) = rules_in(made)
        assert (rule["set"], rule["frames"], rule["stroke"]["radius"]) == ("foreground", "1003", 24)
        assert np.allclose(rule["stroke"]["points"][0], [10, 8], atol=0.2)
        assert np.allclose(rule["stroke"]["points"][-1], [60, 20], atol=0.2)
        out = made.out.parent / "again"
        words = ["run", "--job", str(made.out.parent / "desk.toml"), "--out", str(out), "--quiet"]
        assert main([*words, "--override", str(file_of(made)), "--frames", "1003"]) == 0
        wrote = read_alpha(OutputLayout(out, made.name).alpha(1003)).alpha
        assert np.array_equal(wrote[::8, ::8], painted)
        key(page, "Control+z")
        corrections(page, 0)
        assert np.array_equal(alpha_of(page, 1003), plain)
        page.mouse.move(2, 2)
        page.wait_for_timeout(200)
        assert seen(page) == before
        key(page, "Control+Shift+Z")
        corrections(page, 1)
        assert rules_in(made) == [rule]


def test_the_eraser_takes_the_strokes_it_touches(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    with shown(browser, desk) as page:
        key(page, "b", "g", "[", "[", "[", "[", "[", "[", "[", "[")
        drag(page, (10, 10), (30, 10))
        corrections(page, 1)
        drag(page, (10, 50), (30, 50))
        corrections(page, 2)
        key(page, "e")
        drag(page, (20, 5), (20, 12))
        corrections(page, 1)
        assert [rule["id"] for rule in rules_in(made)] == ["stroke-2"]
        key(page, "Control+z")
        corrections(page, 2)
        assert [rule["id"] for rule in rules_in(made)] == ["stroke-1", "stroke-2"]


def test_a_polygon_with_two_keys_and_the_frame_between(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    with shown(browser, desk) as page:
        key(page, "p", "u", "i", "End", "o", "Home")
        press(page, (10, 10), (40, 10), (40, 40))
        key(page, "Enter")
        corrections(page, 1)
        (rule,) = rules_in(made)
        assert (rule["frames"], list(rule["polygon"])) == ("1001-1006", ["1001"])
        key(page, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
        assert page.locator("#number").input_value() == "1005"
        drag(page, (40, 40), (60, 48))
        page.locator("#rules", has_text="keys 1001, 1005").wait_for()
        (rule,) = rules_in(made)
        assert np.allclose(rule["polygon"]["1005"], [[10, 10], [40, 10], [60, 48]], atol=0.3)
        key(page, "ArrowLeft", "ArrowLeft")
        middle = page.evaluate("(async () => (await fetch('/api/pixel/1003/44/38')).json())()")
        outside = page.evaluate("(async () => (await fetch('/api/pixel/1001/44/38')).json())()")
        assert (middle["class"], outside["class"]) != ("unknown", "unknown")
        assert middle["class"] == "unknown"
        press(page, (25, 10))  # on an edge: one more corner, on every key
        wait_for_file(page, made, lambda rules: len(rules[0]["polygon"]["1001"]) == 4)
        key(page, "Delete")
        wait_for_file(page, made, lambda rules: len(rules[0]["polygon"]["1001"]) == 3)
        assert {len(points) for points in rules_in(made)[0]["polygon"].values()} == {3}
        load(file_of(made), info_of(made))


def test_two_windows_see_each_other(browser: Browser, desk: OpenDesk, made: Shot) -> None:
    with shown(browser, desk) as one, shown(browser, desk) as two:
        key(one, "b", "f")
        drag(one, (10, 10), (20, 10))
        corrections(one, 1)
        corrections(two, 1)
        key(two, "b", "u")
        drag(two, (50, 50), (60, 50))
        corrections(two, 2)
        corrections(one, 2)
        key(two, "Control+z")
        corrections(one, 1)
        assert [rule["set"] for rule in rules_in(made)] == ["foreground"]


def test_a_number_half_typed_stays_whatever_others_do(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    """Else what is painted next would be on another frame than was asked for."""
    with shown(browser, desk) as page:
        page.locator("#number").fill("1004")
        desk.client().change({"now": stroke("theirs", "1002", "unknown", (50, 50))})
        corrections(page, 1)
        page.locator("#number").press("Enter")
        page.locator("#picture").focus()
        key(page, "b", "f")
        drag(page, (10, 10), (20, 10))
        corrections(page, 2)
        assert [rule["frames"] for rule in rules_in(made)] == ["1002", "1004"]


def test_a_file_edited_by_hand_is_shown_and_kept(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    with shown(browser, desk) as page:
        key(page, "b", "f")
        drag(page, (10, 10), (20, 10))
        corrections(page, 1)
        told = json.loads(file_of(made).read_text())
        told["rules"].append(stroke("by-hand", "1001", "unknown", (50, 50)))
        file_of(made).write_text(json.dumps(told))
        corrections(page, 2)
        drag(page, (10, 30), (20, 30))
        corrections(page, 3)
        assert [rule["id"] for rule in rules_in(made)] == ["stroke-1", "by-hand", "stroke-2"]
        file_of(made).write_text("{")
        page.locator("#broken:not([hidden])").wait_for()
        drag(page, (10, 50), (20, 50))
        page.locator("#said.bad").wait_for()
        assert file_of(made).read_text() == "{"


def test_killed_amid_a_drag_only_that_drag_is_lost(browser: Browser, tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=2)
    with open_desk(shot) as desk:
        with shown(browser, desk) as page:
            key(page, "b", "f")
            drag(page, (10, 10), (20, 10))
            corrections(page, 1)
            page.mouse.move(*spot(page, 30, 30))
            page.mouse.down()
            page.mouse.move(*spot(page, 40, 40), steps=3)
            desk.kill()
            page.mouse.move(*spot(page, 50, 40), steps=3)
            page.mouse.up()
            page.locator("#said.bad").wait_for()
        assert len(rules_in(shot)) == 1
    with open_desk(shot) as desk, shown(browser, desk) as page:
        corrections(page, 1)
        assert sorted(path.name for path in shot.out.glob(".*.tmp")) == []


def test_the_keyboard_alone_will_do_for_all_but_drawing(
    browser: Browser, desk: OpenDesk, made: Shot
) -> None:
    from playwright.sync_api import expect

    with shown(browser, desk) as page:
        for digit, view in enumerate(("plate", "trimap", "adapted", "alpha", "comp", "over"), 1):
            key(page, str(digit))
            expect(page.locator(f"[data-view={view}]")).to_have_attribute("aria-pressed", "true")
            page.locator(WHOLE).wait_for()
        key(page, "2", "Shift+Digit4", ".", "n")
        assert page.locator("#other").input_value() == "alpha"
        page.locator(WHOLE).wait_for()
        for keys, number in (("End", "1006"), ("ArrowLeft", "1005"), ("Home", "1001")):
            key(page, keys)
            assert page.locator("#number").input_value() == number
        key(page, "l")
        page.locator(WHOLE).wait_for()
        expect(page.locator("#number")).to_have_value("1006")
        key(page, "k", "r")
        assert page.locator("#holds").input_value() == "range"
        page.locator("#dilate").focus()
        key(page, "ArrowRight", "ArrowRight")
        wait_for_file(page, made, lambda rules: rules and rules[0]["params"]["dilate"] == 14)
        page.locator("#picture").focus()
        key(page, "?")
        expect(page.locator("#keys")).to_be_visible()
        assert "undo, redo" in page.locator("#keys-list").inner_text()
        key(page, "Escape")
        expect(page.locator("#keys")).to_be_hidden()
        for _ in range(60):  # every control can be reached
            key(page, "Tab")
            if page.evaluate("document.activeElement.id") == "run":
                break
        key(page, "Enter")
        expect(page.locator("#job-said")).to_contain_text("done: 6 of 6", timeout=120_000)
        expect(page.locator("#run")).to_have_text("All as it should be")
        with page.expect_popup() as popup:
            page.locator("#report").focus()
            key(page, "Enter")
        popup.value.locator("#sheet .tile").first.wait_for()
        assert "/report/index.html" in popup.value.url
        link = popup.value.locator(".worst a.desk").last
        frame = (link.get_attribute("href") or "").rpartition("-")[2]
        link.click()
        popup.value.locator(WHOLE).wait_for()
        expect(popup.value.locator("#number")).to_have_value(frame)


def test_at_100_percent_pixels_are_the_frames_own(browser: Browser, desk: OpenDesk) -> None:
    import cv2

    with shown(browser, desk) as page:
        key(page, "1", "9")
        page.locator("#picture").evaluate("e => { e.style.outline = '0'; }")
        png = seen(page)
        told = page.evaluate("(async () => (await fetch('/api/shot')).json())()")
    client = desk.client()
    plate = client.tile("plate", 1001, told["session"])
    screen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert screen is not None
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(screen, plate, cv2.TM_SQDIFF))
    assert np.array_equal(screen[y : y + 64, x : x + 96], plate)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1024, 1440])
def test_it_fits_the_screen(browser: Browser, desk: OpenDesk, width: int, scheme: str) -> None:
    size = {"width": width, "height": 760}
    with shown(browser, desk, viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.querySelector('aside').scrollWidth") <= page.evaluate(
            "document.querySelector('aside').clientWidth"
        )
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, input, select, a')].filter((e) =>
                !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map((e) => e.id)"""
        )
        assert nameless == []
