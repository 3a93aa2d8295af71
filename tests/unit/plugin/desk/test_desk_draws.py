"""Key masks and prompts drawn in a real browser, from a shot that has no masks at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugin.request.job_file import shot_from
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from tests.desk_pages import WHOLE, drag, key, press, seen, shown, undoable
from tests.desks import carried, open_desk
from tests.jobs import creature

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    made = creature(tmp_path, frames=4)
    return made.model_copy(update={"executor": "process", "mask": None, "report": True})


def test_from_nothing_to_mattes_with_keys_drawn(browser: Browser, shot: Shot) -> None:
    from playwright.sync_api import expect

    with (
        open_desk(shot.model_copy(update={"segment": "track"})) as desk,
        shown(browser, desk) as page,
    ):
        expect(page.locator("#run")).to_have_text("No masks yet")
        expect(page.locator("#carried")).to_contain_text("draw the whole subject")
        assert page.evaluate("[Desk.state.draws, Desk.state.view]") == ["key", "key"]
        plain = seen(page)
        key(page, "p", "f")
        press(page, (30, 12), (66, 12), (70, 52), (26, 52))
        key(page, "Enter")
        expect(page.locator("#key-said")).to_contain_text("1001 is a key, drawn here")
        page.locator(WHOLE).wait_for()
        assert seen(page) != plain
        file = shot.out / "keys" / f"{shot.name}_key.1001.png"
        mask = read_grey(file)
        assert (mask[30, 48], mask[2, 2]) == (255, 0)
        key(page, "e", "[", "[", "[", "[", "[", "[", "[", "[", "[", "[")
        drag(page, (48, 20), (48, 40))
        undoable(page, 2)
        assert read_grey(file)[30, 48] == 0
        key(page, "Control+z")
        undoable(page, 1)
        assert np.array_equal(read_grey(file), mask)
        # Another key, from what was carried to it; then from key to key.
        expect(page.locator("#carried")).to_have_text("", timeout=60_000)
        key(page, "End", "b", "f")
        expect(page.locator("#key-said")).to_contain_text("1004 is no key")
        drag(page, (10, 8), (20, 8))
        expect(page.locator("#key-said")).to_contain_text("1004 is a key")
        other = read_grey(shot.out / "keys" / f"{shot.name}_key.1004.png")
        assert (other[8, 15], other[32, 48]) == (255, 255)
        key(page, "a")
        expect(page.locator("#number")).to_have_value("1001")
        key(page, "A")
        expect(page.locator("#number")).to_have_value("1004")
        assert list(page.evaluate("Desk.state.keys.keys")) == ["1001", "1004"]
        key(page, "t", "4")
        assert page.evaluate("Desk.state.draws") == "trimap"
        page.locator(WHOLE).wait_for()
        expect(page.locator("#run")).to_have_text("Matte what changed (4)", timeout=60_000)
        key(page, "m")
        expect(page.locator("#run")).to_have_text("All as it should be", timeout=120_000)
        made = shot_from({}, shot.out / f"{shot.name}.job.toml")
        assert sorted(made.keyframes) == [1001, 1004]


def test_all_of_keys_but_drawing_goes_by_keyboard(browser: Browser, shot: Shot) -> None:
    from playwright.sync_api import expect

    with open_desk(shot.model_copy(update={"segment": "track"})) as desk:
        desk.client().post("/api/key", {"frame": 1001, "polygon": [[30, 12], [66, 12], [48, 52]]})
        carried(desk.client())
        with shown(browser, desk) as page:
            assert page.evaluate("Desk.state.draws") == "trimap"
            key(page, "End", "y")
            for button in ("#start", "#begin"):  # reached by Tab alone
                for _ in range(60):
                    key(page, "Tab")
                    if page.evaluate("document.activeElement.id") == button[1:]:
                        break
                expect(page.locator(button)).to_be_focused()
                if button == "#start":
                    key(page, "End")
                    expect(page.locator("#begin")).to_be_disabled()
                    key(page, "Home")
            key(page, "Enter")
            expect(page.locator("#key-said")).to_contain_text("1004 is a key")
            page.locator("#picture").focus()
            key(page, "A")
            expect(page.locator("#number")).to_have_value("1001")
            for digit, view in (("7", "key"), ("2", "trimap")):
                key(page, digit)
                expect(page.locator(f"[data-view={view}]")).to_have_attribute(
                    "aria-pressed", "true"
                )
                page.locator(WHOLE).wait_for()
            key(page, "n", "7", "u")
            assert page.evaluate("[Desk.state.onion, Desk.state.set]") == [True, "foreground"]
            key(page, "t")
            assert page.evaluate("Desk.state.draws") == "trimap"
            key(page, "?")
            expect(page.locator("#keys-list")).to_contain_text("next and last key frame")


def test_points_and_a_box_for_sam2(browser: Browser, shot: Shot) -> None:
    from playwright.sync_api import expect

    with (
        open_desk(shot.model_copy(update={"segment": "sam2"})) as desk,
        shown(browser, desk) as page,
    ):
        key(page, "s", "b", "f")
        press(page, (48, 32))
        expect(page.locator("#prompts li")).to_have_count(1)
        key(page, "g")
        press(page, (5, 5))
        expect(page.locator("#prompts li")).to_have_count(2)
        drag(page, (70, 55), (20, 8))
        expect(page.locator("#prompts li")).to_have_count(3)
        job = shot.out / f"{shot.name}.job.toml"
        point, away, box = shot_from({}, job).prompt
        assert (point[:11], away[:9]) == ("1001=point:", "1001=not:")
        numbers = [float(value) for value in box.partition("box:")[2].split(",")]
        assert np.allclose(numbers, [20, 8, 70, 55], atol=0.3)
        key(page, "e")
        press(page, (5, 5))
        expect(page.locator("#prompts li")).to_have_count(2)
        assert shot_from({}, job).prompt == (point, box)
        key(page, "Control+z")
        expect(page.locator("#prompts li")).to_have_count(3)
