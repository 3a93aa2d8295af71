"""`serve`: the desk of a shot, from its request to its end: probed, locked, served, closed."""

import asyncio
import fcntl
import ipaddress
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from aiohttp import web

from plugin.desk.backdrop import read_backdrop
from plugin.desk.corrections import Corrections
from plugin.desk.desk import Desk
from plugin.desk.guard import Guard
from plugin.desk.keys import Keys
from plugin.desk.planned import probing
from plugin.desk.server import application
from plugin.disk.atomic import disk_refuses
from plugin.driver.belonging import Belonging
from plugin.driver.plan import Plan
from plugin.driver.probe import anchored, pass_in_order
from plugin.errors import OutputError, RequestError
from plugin.progress.modes import Progress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.types import Matter

LOCK_NAME = ".desk.lock"
_LOOPBACK = ("127.0.0.1", "localhost")
_LEAST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Door:
    """Where the desk listens, and who may come in.

    Attributes:
        host: an address or name of this machine.
        port: 0 for any that is free.
        token: empty for one that is made up here, which only loopback may have.
    """

    host: str = _LOOPBACK[0]
    port: int = 0
    token: str = ""

    def check(self) -> None:
        """Refuse a door that is open to all.

        Raises:
            RequestError: other machines could come in, and no token was chosen.
        """
        if self.token and len(self.token) < _LEAST_TOKEN:
            fix = f"give {_LEAST_TOKEN} characters or more: openssl rand -hex 16"
            raise RequestError("the token is too short", where="--token", fix=fix)
        if self.host in _LOOPBACK or _is_loopback(self.host):
            return
        if self.host in ("", "0.0.0.0", "::", "*"):  # noqa: S104  it is refused
            fix = "name the address by which this machine is reached"
            raise RequestError("every address of this machine", where="--host", fix=fix)
        if not self.token:
            fix = "add --token: whoever knows it may change the override file and start runs"
            raise RequestError("open to other machines", where=f"--host {self.host}", fix=fix)

    @property
    def names(self) -> tuple[str, ...]:
        """Of hosts, as a browser here may know the server by."""
        return _LOOPBACK if self.host in _LOOPBACK else (self.host,)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def serve(
    shot: Shot,
    door: Door,
    progress: Progress,
    opened: Callable[[str], None],
    *,
    behind: Path | None = None,
    make_matter: Callable[[Plan], Matter] | None = None,
) -> None:
    """Serve the desk of a shot until a signal ends it.

    Args:
        shot: the request, as for a run. Its override file need not be there yet; without one it is
            `<shot>.trimap.json` in the output folder.
        door: where to listen.
        progress: is told what was chosen for the shot.
        opened: called with the address once there is somebody to answer.
        behind: a picture that comps can be laid over.
        make_matter: another network, as tests of everything else want.

    Raises:
        RequestError: the request is wrong, or the override file is.
        OutputError: another desk has the folder, or the disk refuses.
    """
    door.check()
    with closing(_listener(door)) as listener:
        _open(*(shot, door, listener, progress, opened), behind=behind, make_matter=make_matter)


def _open(
    shot: Shot,
    door: Door,
    listener: socket.socket,
    progress: Progress,
    opened: Callable[[str], None],
    *,
    behind: Path | None,
    make_matter: Callable[[Plan], Matter] | None,
) -> None:
    shot = anchored(shot)
    layout = OutputLayout.of(shot)
    given = shot.override
    path = Path(given) if given is not None else shot.out / f"{shot.name}.trimap.json"
    if path.parent != shot.out and not path.parent.is_dir():
        raise RequestError("no such folder", where=path.parent, fix="check --override")
    shot = shot.model_copy(update={"override": None})
    with ExitStack() as stack:
        keys = Keys(shot)
        shot = keys.shot
        planned, plate = stack.enter_context(probing(shot, progress))
        corrections = Corrections(path, planned.info, shot.name)
        backdrop = None if behind is None else read_backdrop(behind, planned.info)
        Belonging(shot, plate).check_folder()
        layout.prepare(())
        told = stack.enter_context(_alone(shot.out))
        _settle()
        plan = pass_in_order(planned.plan, plate, layout, progress)
        plate.close()  # the desk's frames have their own
        make = partial(Desk, replace(planned, plan=plan), keys, corrections, picture=backdrop)
        make = partial(make, make_matter=make_matter)

        def listening(address: str, port: int) -> None:
            told(f"port {port}")  # the lock can be read by others, so without the token
            opened(address)

        asyncio.run(_serve(make, door, listener, listening))


def _settle() -> None:
    """As a run's workers are: how many threads an operation has changes its last bits."""
    from model.inference.threads import settle_process

    settle_process()


@contextmanager
def _alone(folder: Path) -> Iterator[Callable[[str], None]]:
    """Hold the folder for one desk; gives what notes its address for those who come later.

    Raises:
        OutputError: another desk has it; the error says which.
    """
    path = folder / LOCK_NAME
    with disk_refuses(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 300, 0).decode(errors="replace") or "another process"
            fix = "work there, or end it; another --out has a desk of its own"
            raise OutputError(f"a desk is open here: {holder}", where=folder, fix=fix) from error
        except OSError:  # a file system without locks: two desks see each other's changes there
            pass

        def told(address: str) -> None:
            text = f"process {os.getpid()} on {socket.gethostname()}, {address}"
            with suppress(OSError):
                os.ftruncate(handle, 0)
                os.pwrite(handle, text.encode(), 0)

        told("starting")
        yield told
    finally:
        with suppress(OSError):
            os.ftruncate(handle, 0)
        os.close(handle)


async def _serve(
    make_desk: Callable[[], Desk],
    door: Door,
    listener: socket.socket,
    opened: Callable[[str, int], None],
) -> None:
    """Listen until a signal comes."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    token = door.token or secrets.token_urlsafe(24)
    port = int(listener.getsockname()[1])
    desk = make_desk()
    app = application(desk, Guard(token, door.names, port))
    # A browser that stops waiting for a tile is heard of: nobody mattes for it any more.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        host = f"[{door.host}]" if ":" in door.host else door.host
        opened(f"http://{host}:{port}/?token={token}", port)
        await over.wait()
    finally:
        await desk.close()
        await runner.cleanup()


def _listener(door: Door) -> socket.socket:
    """A socket that listens.

    Raises:
        RequestError: there is no such address here, or the port is taken.
    """
    with ExitStack() as failed:
        try:
            family, kind, _, _, address = socket.getaddrinfo(
                door.host, door.port, type=socket.SOCK_STREAM
            )[0]
            listener = failed.enter_context(socket.socket(family, kind))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(64)
        except OSError as error:
            what = f"cannot listen there: {error.strerror or error}"
            fix = "take another --port, or leave it out"
            raise RequestError(what, where=f"{door.host}:{door.port}", fix=fix) from error
        failed.pop_all()
    return listener
