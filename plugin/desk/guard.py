"""`Guard`: who may talk to the desk, and how much.

A page of another site in the same browser can send requests here, and a name of its own can be
made to point here. So: a token that only this server's printed address has, then a cookie; only
our own names as Host, only ourselves as Origin; sizes and rates bounded, before a body is read.
"""

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Collection

from aiohttp import hdrs, web

MAX_BODY = 4 << 20
"""Bytes of a request: the largest override file is one."""

_CHANGES, _GUESSES = (40.0, 200.0), (0.2, 10.0)
"""Requests a second, and at once: of changes, and of wrong tokens."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
REPORT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The report's pages have a film, and no requests of their own."""


class _Bucket:
    """So many a second, and so many at once."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate, self._most = rate, most
        self._left, self._at = most, time.monotonic()

    def take(self) -> bool:
        """Whether there is one more."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Guard:
    """Stands before every route of a server that is about to listen.

    Args:
        token: that the address holds.
        names: of hosts, as they may stand before the port in an address.
        port: of the server.
    """

    def __init__(self, token: str, names: Collection[str], port: int) -> None:
        self._token = token.encode()
        self._session = secrets.token_urlsafe(32)
        self._cookie = f"adamatte-desk-{port}"
        shown = [f"[{name}]" if ":" in name else name for name in names]
        self._hosts = {f"{name}:{port}" for name in shown}
        if port == 80:
            self._hosts |= set(shown)
        self._origins = {f"http://{host}" for host in self._hosts}
        self._changes, self._guesses = _Bucket(*_CHANGES), _Bucket(*_GUESSES)

    async def handle(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse, or let through and see to the headers."""
        try:
            self._check(request)
            response = await handler(request)
        except web.HTTPException as refusal:
            response = refusal
        if not response.prepared:
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            if self._shows_token(request) and response.status == 200:
                # Strict: no other site's page sends it. The page is shown without a detour over
                # another address, on which a browser that comes from elsewhere would leave it out.
                response.set_cookie(
                    self._cookie, self._session, httponly=True, samesite="Strict", path="/"
                )
        if isinstance(response, web.HTTPException):
            raise response
        return response

    def _check(self, request: web.Request) -> None:
        if request.headers.get(hdrs.HOST, "") not in self._hosts:
            raise web.HTTPForbidden(text="this server has another name")
        if (request.content_length or 0) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
        origin, site = request.headers.get(hdrs.ORIGIN), request.headers.get("Sec-Fetch-Site")
        changes = request.method != "GET"
        if (origin is None and changes) or (origin is not None and origin not in self._origins):
            raise web.HTTPForbidden(text="another page's request")
        first = request.path == "/" and not changes
        if site not in (None, "same-origin", "none") and not first:
            raise web.HTTPForbidden(text="another page's request")
        if not (self._has_cookie(request) or self._shows_token(request)):
            if not self._guesses.take():
                raise web.HTTPTooManyRequests(text="too many tries")
            raise web.HTTPUnauthorized(text="take the address that adamatte desk printed")
        if changes and request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="JSON alone")
        if changes and not self._changes.take():
            raise web.HTTPTooManyRequests(text="too many changes at once")

    def _has_cookie(self, request: web.Request) -> bool:
        return _same(request.cookies.get(self._cookie, ""), self._session.encode())

    def _shows_token(self, request: web.Request) -> bool:
        return request.path == "/" and _same(request.query.get("token", ""), self._token)


def _same(given: str, wanted: bytes) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted)
