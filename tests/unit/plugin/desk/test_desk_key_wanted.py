"""Where another key would help most: told by the desk, gone to by a button of its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugin.request.shot import Shot
from plugin.result.manifest import load
from tests.desk_pages import WHOLE, drag, key, shown
from tests.desks import Client, carried, open_desk, ran
from tests.jobs import creature, restless

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture
def lost(tmp_path: Path) -> Shot:
    """A shot through which nothing can be carried."""
    shot = restless(creature(tmp_path), tmp_path)
    return shot.model_copy(update={"executor": "process", "segment": "track"})


def drawn(client: Client, number: int) -> Any:
    around = [[30, 12], [66, 12], [70, 52], [26, 52]]
    asked = {"frame": number, "start": "nothing", "polygon": around}
    return client.post("/api/key", asked)


def test_the_frame_where_a_key_helps_most_is_told_while_it_stands(lost: Shot) -> None:
    with open_desk(lost) as opened:
        client = opened.client()
        assert client.get("/api/keys")["wanted"] is None, "nothing was carried yet"
        drawn(client, 1001)
        told = carried(client)
        wanted = told["wanted"]
        assert wanted in range(1002, 1007)
        assert f"a key here would help most: {wanted}" in told["notes"]
        assert ran(client)["state"] == "done"
        assert load(lost.out / "manifest.json").key_wanted == wanted
        assert client.get("/api/keys")["wanted"] == wanted
        for number in range(1002, 1007):
            told = drawn(client, number)
            assert told["wanted"] is None, "keys are others than those that were carried"
        assert carried(client)["wanted"] is None, "every frame is sure"
        assert ran(client)["state"] == "done"
        assert load(lost.out / "manifest.json").key_wanted is None
        for number in range(1002, 1007):
            client.post("/api/key", {"frame": number, "remove": True})
        carried(client)
    with open_desk(lost) as opened:  # carried before: it stands at the door
        assert opened.client().get("/api/keys")["wanted"] == wanted


def test_to_the_frame_where_a_key_helps_most_and_ready_to_draw_it(
    browser: Browser, lost: Shot
) -> None:
    from playwright.sync_api import expect

    with open_desk(lost) as desk:
        client = desk.client()
        drawn(client, 1001)
        wanted = carried(client)["wanted"]
        with shown(browser, desk) as page:
            button = page.locator("#wanted")
            expect(button).to_contain_text(f"Draw a key at {wanted}")
            assert page.evaluate("Desk.state.draws") == "trimap"
            button.click()
            expect(page.locator("#number")).to_have_value(str(wanted))
            assert page.evaluate("[Desk.state.draws, Desk.state.view, Desk.state.tool]") == [
                *("key", "key", "brush")
            ]
            key(page, "t", "Home", "Shift+Y")
            expect(page.locator("#number")).to_have_value(str(wanted))
            expect(page.locator("#key-said")).to_contain_text(f"{wanted} is no key")
            page.locator(WHOLE).wait_for()
            drag(page, (40, 30), (56, 34))
            expect(page.locator("#key-said")).to_contain_text(f"{wanted} is a key")
            expect(button).to_be_hidden()
            for number in range(1001, 1007):
                drawn(client, number)
            carried(client)
            expect(page.locator("#carried")).to_have_text("", timeout=60_000)
            expect(button).to_be_hidden()
            key(page, "Shift+Y")
            expect(page.locator("#said")).to_have_text("No frame asks for another key.")
            # Capitals by their lock alone are the small letters.
            for capital, draws in (("T", "trimap"), ("Y", "key")):
                pressed = f"new KeyboardEvent('keydown', {{key: '{capital}', bubbles: true}})"
                page.evaluate(f"document.body.dispatchEvent({pressed})")
                assert page.evaluate("Desk.state.draws") == draws
