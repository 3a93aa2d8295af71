"""A real browser for tests: Chromium without a window, on a report from disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def shown(browser: Browser, out: Path, **settings: Any) -> Iterator[Page]:
    """The report's page; nothing may be said on its console, nor asked of another place."""
    folder = out / "report"
    asked: list[str] = []
    said: list[str] = []
    with browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings}) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.goto((folder / "index.html").as_uri())
        yield page
        page.wait_for_load_state("networkidle")
    assert said == []
    places = {url.split("?")[0] for url in asked if not url.startswith("data:")}
    assert [url for url in places if not url.startswith(folder.as_uri() + "/")] == []
