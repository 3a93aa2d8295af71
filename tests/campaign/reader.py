"""Reads inputs, each in a forked child with limits; a line of JSON a file on stdin and on stdout.

python -m tests.campaign.reader BYTES SECONDS FOLDER
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from plugin.errors import AdaMatteError
from tests.plates import png_plate

_PLATE = png_plate(20, 12, "1001-1050")


def _plate(path: Path) -> None:
    from contextlib import closing

    from plugin.plates import open_plate

    with closing(open_plate(str(path))) as plate:
        for number in plate.info.frames.numbers[:3]:
            plate.read(number)


def _alpha(path: Path) -> None:
    from plugin.exr.alpha_file import is_current, read_alpha

    is_current(path, "r")
    read_alpha(path)


def _override(path: Path) -> None:
    from plugin.trimap.override import load

    load(path, _PLATE)


def _job(path: Path) -> None:
    from plugin.request.job_file import shot_from

    shot_from({}, path)


def _manifest(path: Path) -> None:
    from plugin.result.manifest import load

    load(path)


def _weights(path: Path) -> None:
    from model.inference.weight_files import find_weights, load_network

    load_network(find_weights(str(path)))


_READING = (
    "plugin.exr.alpha_file",
    "plugin.request.job_file",
    "plugin.result.manifest",
    "plugin.trimap.override",
    "plugin.plates",
    "model.adamatting",
    "model.inference.weight_files",
)

READERS: dict[str, Callable[[Path], None]] = {
    "exr": _plate,
    "png": _plate,
    "mp4": _plate,
    "mov": _plate,
    "alpha": _alpha,
    "override": _override,
    "job": _job,
    "manifest": _manifest,
    "weights": _weights,
}


def _load_all() -> None:
    """Import what the readers need, so that a fork has it; no thread may run yet."""
    for module in _READING:
        importlib.import_module(module)


def _read(kind: str, path: Path) -> dict[str, str]:
    try:
        READERS[kind](path)
    except AdaMatteError as error:
        return {"how": "refused", "what": str(error)}
    except BaseException:
        return {"how": "raised", "what": traceback.format_exc()[-1500:]}
    return {"how": "read", "what": ""}


def _in_child(kind: str, path: Path, memory: int, seconds: int) -> dict[str, str]:
    """Fork, read, and hear how it went; a child that hangs or dies is an answer too."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(say, json.dumps(_read(kind, path)).encode())
        os._exit(0)
    os.close(say)
    answer = b""
    while select.select([hear], [], [], seconds)[0]:
        piece = os.read(hear, 1 << 16)
        if not piece:
            break
        answer += piece
    else:
        os.kill(child, signal.SIGKILL)
    os.close(hear)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        how = "hung" if os.WTERMSIG(status) == signal.SIGKILL else "crashed"
        return {"how": how, "what": f"signal {os.WTERMSIG(status)}"}
    told: dict[str, str] = json.loads(answer)
    return told


def _main(memory: int, seconds: int, folder: str) -> None:
    _load_all()
    os.chdir(folder)
    for line in sys.stdin:
        kind, path = json.loads(line)
        print(json.dumps(_in_child(kind, Path(path), memory, seconds)), flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
