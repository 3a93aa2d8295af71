"""`Request`: one job as a host describes it, and the command line that it comes down to."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any, Mapping, NamedTuple

from .errors import BridgeError
from .frames import format_range, is_pattern, split_pattern
from .options import OPTIONS, option

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.|[_ -](?=\d{3}))(\d{1,7})\Z", re.ASCII)
_VIDEOS = (".mov", ".mp4", ".m4v", ".mkv", ".webm", ".mxf", ".avi")

_HOST_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "LD_PRELOAD")
"""What a host sets for itself, and what another Python and its libraries must not see."""


class Request(NamedTuple):
    """What to matte, and how.

    Attributes:
        plate: a video file, a pattern or one image; absolute.
        out: the shot's output folder; absolute.
        shot: names the files.
        frames: the plate's frame numbers to do.
        start_frame: number of a video's first frame.
        mask: pattern or video of masks; None without.
        settings: values by option name; those that are left out are the program's defaults.
    """

    plate: str
    out: str
    shot: str
    frames: list[int]
    start_frame: int = 1001
    mask: str | None = None
    settings: Mapping[str, Any] = MappingProxyType({})

    def check(self) -> Request:
        """The same, if it can be asked for at all.

        Raises:
            BridgeError: plate, output folder or frames are missing.
        """
        if not self.plate:
            raise BridgeError("no plate", "the plate input", "connect a Read or any other node")
        if not self.out:
            raise BridgeError("no output folder", "out", "name the shot's folder in out")
        if not self.frames:
            raise BridgeError("no frames", "frames", "give a range like 1001-1100")
        return self

    def words(self, adamatte: list[str], *, address: str | None = None) -> list[str]:
        """The command line of a run.

        Args:
            adamatte: how the program is called.
            address: of the Ray cluster that the job joins; None for a private one.
        """
        joined = ["--address", address] if address else []
        return [*self._asked(adamatte, "run"), *joined, "--progress", "jsonl"]

    def desk(self, adamatte: list[str]) -> list[str]:
        """The command line of the desk; whoever calls it opens the browser."""
        return [*self._asked(adamatte, "desk"), "--no-browser", "--progress", "plain"]

    def _asked(self, adamatte: list[str], command: str) -> list[str]:
        words = [*adamatte, command, _word(self.plate), "--out", self.out, "--shot", self.shot]
        words += ["--frames", format_range(self.frames), "--start-frame", str(self.start_frame)]
        if self.mask:
            words += ["--mask", self.mask]
        for one in OPTIONS:
            value = self.settings.get(one.name, one.default)
            if one.kind == "switch":
                words += ["--" + one.name.replace("_", "-")] if value else []
            elif one.kind == "list":
                for part in _parts(one.name, value):
                    words += ["--" + one.name.replace("_", "-"), part]
            elif value not in ("", None, one.default):
                words += ["--" + one.name.replace("_", "-"), _typed(one.name, value)]
        return words

    def entrypoint(self, adamatte: list[str]) -> str:
        """The command as a shell line, for a cluster that it then joins."""
        return " ".join(shlex.quote(word) for word in self.words(adamatte, address="auto"))

    @property
    def alpha(self) -> str:
        """The pattern of the matte sequence."""
        return os.path.join(self.out, "alpha", f"{self.shot}_alpha.%04d.exr")

    def compared(self) -> dict[str, Any]:
        """What the pixels depend on as far as a host knows, as the manifest writes it."""
        said = {one.name: self.settings.get(one.name, one.default) for one in OPTIONS if one.pixels}
        said.update(plate=self.plate, mask=self.mask)
        for one in OPTIONS:
            if one.kind == "list":
                said[one.name] = _parts(one.name, said[one.name])
        return {name: None if value == "" else value for name, value in said.items()}


def shot_name(name: str, plate: str) -> str:
    """The shot's name as it stands in file names: as given, or from the plate's."""
    text, path = name, Path(plate)
    if not text and is_pattern(plate):
        text = split_pattern(plate)[1] or path.parent.name
    elif not text and path.suffix.lower() not in _VIDEOS:  # one picture ends in its frame's number
        text = _ENDS_IN_NUMBER.sub("", path.stem) or path.parent.name
    text = text or path.stem
    return _NOT_IN_NAMES.sub("_", text).strip("._-") or "shot"


def versioned(out: str, version: int) -> str:
    """The output folder of a version, `out/v003`; `out` itself for version 0."""
    return os.path.join(out, f"v{version:03d}") if version > 0 else out


def program(given: str = "") -> list[str]:
    """How `adamatte` is called: as given, by `$ADAMATTE`, beside this package, or from the path.

    Raises:
        BridgeError: the text is no command line.
    """
    text = given or os.environ.get("ADAMATTE", "")
    if text:
        try:
            return shlex.split(text)
        except ValueError as error:
            raise BridgeError(f"not a command: {error}", text, "quote it as in a shell") from error
    binary = Path("Scripts", "adamatte.exe") if sys.platform == "win32" else Path("bin", "adamatte")
    beside = Path(__file__).resolve().parents[2] / ".venv" / binary
    return [str(beside)] if beside.is_file() else ["adamatte"]


def clean_environment() -> dict[str, str]:
    """This process's environment without what the host set for its own Python and libraries."""
    return {k: v for k, v in os.environ.items() if k not in _HOST_VARIABLES}


def _parts(name: str, value: Any) -> list[str]:
    """`FRAME=FILE` words, the files absolute: a job may have another current folder."""
    try:
        parts = [part.partition("=") for part in shlex.split(value or "")]
    except ValueError as error:
        raise BridgeError(str(error), name, "quote it as in a shell") from error
    return [number + equals + os.path.abspath(file) for number, equals, file in parts]


def _typed(name: str, value: Any) -> str:
    if option(name).kind == "number":
        return f"{float(value):g}"
    return str(value)


def _word(plate: str) -> str:
    """A plate whose name begins with a dash is no option."""
    return os.path.join(".", plate) if plate.startswith("-") else plate
