"""The routes: each checks what it is given, asks the desk, and answers in JSON, a tile, or events.

Nothing that a browser sends is ever a path: frames are numbers of the shot, views and pages are
names out of tables.
"""

import asyncio
import mimetypes
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from plugin.desk.changes import Changes, ConflictError
from plugin.desk.desk import Desk
from plugin.desk.drawing import KeyChange, PromptChange
from plugin.desk.guard import MAX_BODY, REPORT_POLICY, Guard
from plugin.desk.mattes import SupersededError
from plugin.desk.views import VIEWS, Behind, Tile
from plugin.errors import AdaMatteError, FrameError, RequestError

_ASSETS = Path(__file__).parent / "assets"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
_COLOUR = re.compile(r"[0-9a-f]{6}\Z", re.ASCII)
_KEY = re.compile(r"[0-9a-z-]{1,40}\Z", re.ASCII)
_REPORT_FILES = frozenset({".html", ".js", ".css", ".jpg", ".png", ".webm", ".mp4", ".json"})
_STATUS = ((ConflictError, 409), (FrameError, 404), (RequestError, 400))
_HEARTBEAT_S = 15.0

T = TypeVar("T", bound=BaseModel)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(desk: Desk, guard: Guard) -> web.Application:
    """The web application of a desk behind its guard."""
    routes = _Routes(desk)
    number, digits = r"{number:-?\d{1,7}}", r"\d{1,6}"
    table: tuple[tuple[str, str, _Handler], ...] = (
        ("GET", "/", routes.page),
        ("GET", r"/assets/{name:[a-z]{1,20}\.[a-z]{2,4}}", routes.asset),
        ("GET", "/api/shot", routes.shot),
        ("GET", "/api/rules", routes.rules),
        ("GET", "/api/marks", routes.marks),
        ("GET", "/api/job", routes.job),
        ("GET", "/api/keys", routes.keys),
        ("GET", f"/api/frame/{number}", routes.frame),
        ("GET", f"/api/pixel/{number}/{{column:{digits}}}/{{row:{digits}}}", routes.pixel),
        (
            "GET",
            f"/tile/{{view:[a-z]{{1,10}}}}/{number}/{{key}}"
            r"/{level:\d}-{column:\d{1,4}}-{row:\d{1,4}}.{form:jpg|png}",
            routes.tile,
        ),
        ("POST", "/api/change", routes.change),
        ("POST", "/api/key", routes.key),
        ("POST", "/api/prompt", routes.prompt),
        ("POST", "/api/undo", routes.undo),
        ("POST", "/api/redo", routes.redo),
        ("POST", "/api/run", routes.run),
        ("POST", "/api/cancel", routes.cancel),
        ("GET", "/events", routes.events),
        ("GET", "/report/{name:.*}", routes.report),
        ("*", "/{path:.*}", _nothing),
    )
    # Not as the library's middlewares: it remembers those for good, and all that they know.
    app = web.Application(client_max_size=MAX_BODY)
    for method, path, handler in table:
        app.router.add_route(method, path, _guarded(guard, handler))
    return app


def _guarded(guard: Guard, handler: _Handler) -> _Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        return await guard.handle(request, partial(_told, handler))

    return guarded


async def _nothing(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _told(handler: _Handler, request: web.Request) -> web.StreamResponse:
    """The error tree as answers in JSON."""
    try:
        return await handler(request)
    except SupersededError:
        return web.json_response({"what": "superseded"}, status=410)
    except AdaMatteError as error:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        told = {"what": error.what, "where": error.where, "fix": error.fix}
        return web.json_response(told, status=status)


class _Routes:
    """One method a route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._assets = {path.name: path for path in _ASSETS.iterdir() if path.suffix in _TYPES}

    async def page(self, _: web.Request) -> web.StreamResponse:
        return self._file("desk.html")

    async def asset(self, request: web.Request) -> web.StreamResponse:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.StreamResponse:
        path = self._assets.get(name)
        if path is None:
            raise web.HTTPNotFound
        return web.Response(
            body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8"
        )

    async def shot(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._desk.shot())

    async def rules(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._desk.rules())

    async def marks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(await self._desk.marks())

    async def job(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(asdict(self._desk.job.status))

    async def frame(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._desk.frame(int(request.match_info["number"])))

    async def pixel(self, request: web.Request) -> web.StreamResponse:
        given = request.match_info
        number, column, row = (int(given[name]) for name in ("number", "column", "row"))
        return web.json_response(await self._desk.pixel(number, column, row))

    async def tile(self, request: web.Request) -> web.StreamResponse:
        given = request.match_info
        view = next((one for one in VIEWS if one == given["view"]), None)
        if view is None or _KEY.match(given["key"]) is None:
            raise web.HTTPNotFound
        level, column, row = (int(given[name]) for name in ("level", "column", "row"))
        tile = Tile(level, column, row, exact=given["form"] == "png")
        behind = self._behind(request.query.get("behind", ""))
        found = await self._desk.tile(view, int(given["number"]), given["key"], tile, behind)
        if found is None:
            raise web.HTTPGone
        return web.Response(body=found[0], content_type=found[1])

    def _behind(self, name: str) -> Behind:
        if name == "checker":
            return Behind(colour=None)
        if name == "picture" and self._desk.picture is not None:
            return self._desk.picture
        if not _COLOUR.match(name):
            return Behind()
        red, green, blue = (int(name[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return Behind(colour=(red, green, blue))

    async def keys(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._desk.masks())

    async def change(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(Changes, await request.read())
        made = await self._desk.change(asked.changes)
        if asked.frame is not None:
            made["info"] = await self._desk.frame(asked.frame)
        return web.json_response(made)

    async def key(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(KeyChange, await request.read())
        return web.json_response(await self._desk.key(asked))

    async def prompt(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(PromptChange, await request.read())
        return web.json_response(await self._desk.prompt(asked))

    async def undo(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(await self._desk.undo())

    async def redo(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(await self._desk.redo())

    async def run(self, _: web.Request) -> web.StreamResponse:
        await self._desk.start()
        return web.json_response(asdict(self._desk.job.status))

    async def cancel(self, _: web.Request) -> web.StreamResponse:
        await self._desk.job.cancel()
        return web.json_response(asdict(self._desk.job.status))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: what has changed, by name."""
        queue = self._desk.listeners.listen()
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type = "text/event-stream"
        try:
            await response.prepare(request)
            await response.write(b": here\n\n")
            while True:
                try:
                    told = await asyncio.wait_for(queue.get(), _HEARTBEAT_S)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if not told:
                    return response
                await response.write(f"data: {told}\n\n".encode())
        except ConnectionResetError:
            return response
        finally:
            self._desk.listeners.leave(queue)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """A file of the QC report, by a name that is in its folder."""
        folder = self._desk.out / "report"
        files = await asyncio.to_thread(_report_files, folder)
        path = files.get(request.match_info["name"] or "index.html")
        if path is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Content-Security-Policy": REPORT_POLICY}
        return web.FileResponse(path, headers=headers)


def _asked(kind: type[T], body: bytes) -> T:
    """What a body asks for.

    Raises:
        RequestError: it is no such thing.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        what = f"{place}: {first['msg']}"[:300]
        raise RequestError(what, where="a change", fix="report it") from error


def _report_files(folder: Path) -> dict[str, Path]:
    """The files of a report by their names in it; links do not count."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.suffix in _REPORT_FILES and path.is_file() and not path.is_symlink()
    }
