"""What tests do with a page of the desk: a shot of 96 × 64 pixels, all of it shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plugin.plates import open_plate
from plugin.request.shot import Shot
from plugin.types import FloatArray, PlateInfo
from tests.desks import OpenDesk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WHOLE = "#picture[data-whole=true]"


def file_of(shot: Shot) -> Path:
    return shot.out / f"{shot.name}.trimap.json"


def rules_in(shot: Shot) -> list[dict[str, Any]]:
    path = file_of(shot)
    found: list[dict[str, Any]] = json.loads(path.read_text())["rules"] if path.exists() else []
    return found


@contextmanager
def shown(browser: Browser, desk: OpenDesk, **settings: Any) -> Iterator[Page]:
    """The page; nothing may go wrong on it, nor be asked of another place."""
    said: list[str] = []
    asked: list[str] = []
    with browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(desk.address)
        page.locator(WHOLE).wait_for()
        yield page
    assert said == []
    origin = desk.address.partition("/?")[0]
    others = [u for u in asked if not u.startswith((origin, "blob:"))]
    assert others == []


def key(page: Page, *keys: str) -> None:
    for one in keys:
        page.keyboard.press(one)


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the frame lies on the page; the whole frame is shown."""
    box = page.locator("#picture").bounding_box()
    assert box is not None
    scale = min(box["width"] / 96, box["height"] / 64) * 0.98
    left = box["x"] + (box["width"] - 96 * scale) / 2
    top = box["y"] + (box["height"] - 64 * scale) / 2
    return left + x * scale, top + y * scale


def drag(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*spot(page, *point), steps=4)
    page.mouse.up()


def press(page: Page, *points: tuple[float, float]) -> None:
    for point in points:
        page.mouse.click(*spot(page, *point))


def corrections(page: Page, count: int) -> None:
    """Wait until the page knows of so many."""
    from playwright.sync_api import expect

    words = "none yet" if count == 0 else re.compile(rf" of {count}, ")
    expect(page.locator("#rules-count")).to_have_text(words)


def alpha_of(page: Page, number: int) -> FloatArray:
    """What the page can read out of the frame's alpha."""
    found = page.evaluate(
        """async (n) => {
            const rows = [];
            for (let y = 0; y < 64; y += 8) {
                const row = [];
                for (let x = 0; x < 96; x += 8) {
                    row.push((await (await fetch(`/api/pixel/${n}/${x}/${y}`)).json()).alpha);
                }
                rows.push(row);
            }
            return rows;
        }""",
        number,
    )
    return np.array(found, np.float32)


def seen(page: Page) -> bytes:
    page.locator(WHOLE).wait_for()
    return page.locator("#stage").screenshot()


def wait_for_file(page: Page, shot: Shot, fits: Any) -> None:
    """Until the file says so, and the page has heard of it; it goes on meanwhile."""
    while not fits(rules_in(shot)) or page.evaluate("Desk.state.rules.rules") != rules_in(shot):
        page.wait_for_timeout(20)


def undoable(page: Page, count: int) -> None:
    """Wait until so many changes can be taken back."""
    while page.evaluate("Desk.state.rules.undo") != count:
        page.wait_for_timeout(20)


def info_of(shot: Shot) -> PlateInfo:
    """The plate, probed."""
    return open_plate(shot.plate).info
