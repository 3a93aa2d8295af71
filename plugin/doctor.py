"""What this machine has and lacks, for `adamatte doctor`.

torch and ray are imported in processes of their own: a broken one may end its process, and both
are slow.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from plugin.disk.atomic import text_of
from plugin.progress.lines import printable

GIB = 1024**3

_CODECS = ("h264", "hevc", "prores", "dnxhd", "mjpeg", "vp9", "av1", "qtrle", "ffv1", "png")
"""What plates come in."""

_TORCH = """
import json, torch; gpus = torch.cuda.device_count()
for i in range(gpus):
    torch.ones(8, 8, device=f"cuda:{i}").sum().item()
each = __import__("workers.cluster").cluster.each_here() if gpus else ""
print(json.dumps({"cuda": torch.version.cuda, "gpus": gpus, "each": each}))
"""

_TIMEOUT_S = 120

LONGEST_TEMPORARY = 8
"""Bytes of a temporary folder that leave room for Ray's sockets, whose paths end at 107."""

SHORT_TEMPORARY = "/tmp"  # noqa: S108  a folder of our own is made there
"""Where a private Ray goes instead."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: `memory`, `torch`, ….
        state: `good`; `noted`, a run works without; `lacking`, a run fails.
        found: what is there.
        fix: what to do about it, when not good.
    """

    name: str
    state: Literal["good", "noted", "lacking"]
    found: str
    fix: str = ""


def examine() -> tuple[Finding, ...]:
    """Look at everything; takes a few seconds. A check that itself fails is a finding."""
    findings: list[Finding] = []
    for check in _CHECKS:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001, RUF100  whatever it is, it belongs in the report
            name, found = check.__name__.strip("_"), f"{type(error).__name__}: {error}"
            findings.append(Finding(name, "lacking", found, "install the packages again"))
    return tuple(findings)


def describe(findings: tuple[Finding, ...]) -> str:
    """A line a finding, and under it what to do where something is amiss."""
    mark = {"good": "ok     ", "noted": "note   ", "lacking": "LACKING"}
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{mark[finding.state]}  {finding.name:<{width}}  {finding.found}")
        if finding.fix:
            lines.append(f"{'':<{width + 11}}→ {finding.fix}")
    return "\n".join(printable(line) for line in lines)


def as_json(findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The same for programs: `{"ok": …, "findings": [{"name": …, "state": …}, …]}`."""
    ok = all(finding.state != "lacking" for finding in findings)
    return {"ok": ok, "findings": [asdict(finding) for finding in findings]}


def _python() -> Iterator[Finding]:
    version = sys.version_info
    fits = (3, 11) <= version[:2] <= (3, 13)
    fix = "" if fits else "use Python 3.11, 3.12 or 3.13"
    yield Finding("python", "good" if fits else "lacking", ".".join(map(str, version[:3])), fix)


def _packages() -> Iterator[Finding]:
    """The distribution's own requirements, without importing any."""
    for line in importlib.metadata.requires("adamatte") or []:
        requirement, _, marker = line.partition(";")
        match = re.match(r"([\w.-]+)(?:\[[\w,-]*\])?\s*(?:>=\s*([\d.]+))?", requirement)
        if match is None or match[1] == "adamatte" or "dev" in marker or "cluster" in marker:
            continue
        yield _package(match[1], match[2] or "0", optional=bool(marker))


def _package(name: str, least: str, *, optional: bool) -> Finding:
    state: Literal["noted", "lacking"] = "noted" if optional else "lacking"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, state, "not installed", f"pip install '{name}>={least}'")
    if _numbers(version) < _numbers(least):
        return Finding(name, state, version, f"pip install '{name}>={least}'")
    return Finding(name, "good", version)


def _numbers(version: str) -> tuple[int, ...]:
    public, _, _local = version.partition("+")
    return tuple(int(part) for part in re.findall(r"\d+", public)[:3])


def _cores() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = text_of(Path("/sys/fs/cgroup/cpu.max")).split()
    limited = len(quota) == 2 and quota[0] != "max"
    limit = f", of which a limit allows {int(quota[0]) / int(quota[1]):.1f}" if limited else ""
    yield Finding("cores", "good", f"{cores}{limit}")


def _memory() -> Iterator[Finding]:
    """What is free, or less where the control group has a limit."""
    meminfo = dict(re.findall(r"(\w+):\s+(\d+) kB", text_of(Path("/proc/meminfo"))))
    if "MemAvailable" not in meminfo:
        yield Finding("memory", "noted", "unknown on this system", "give --workers yourself")
        return
    free, total = (int(meminfo[key]) * 1024 for key in ("MemAvailable", "MemTotal"))
    limit = text_of(Path("/sys/fs/cgroup/memory.max")).strip()
    if limit.isdigit() and int(limit) < total:
        used = text_of(Path("/sys/fs/cgroup/memory.current")).strip()
        total = int(limit)
        free = min(free, total - int(used or 0))
    found = f"{free / GIB:.1f} GiB free of {total / GIB:.1f}"
    low = free < 3 * GIB
    yield Finding("memory", "noted" if low else "good", found, "--workers 1" if low else "")


def _shared_memory() -> Iterator[Finding]:
    """Ray's object store stays empty here, but Ray reserves it, and falls back to slow disk."""
    folder = Path("/dev/shm")  # noqa: S108  looked at, not written
    if folder.is_dir():
        free = shutil.disk_usage(folder).free
        fix = "start the container with --shm-size=1g" if free < GIB / 4 else ""
        yield Finding(
            "shared memory", "noted" if fix else "good", f"{folder}, {free / GIB:.1f} GiB free", fix
        )


def _temporary_folder() -> Iterator[Finding]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    fix = "free some space, or set TMPDIR: Ray and the tests write there" if free < GIB else ""
    if len(os.fsencode(folder)) > LONGEST_TEMPORARY:
        fix = f"too long for Ray's sockets, {SHORT_TEMPORARY} is used; set a shorter TMPDIR"
    state: Literal["noted", "good"] = "noted" if fix else "good"
    yield Finding("temporary folder", state, f"{folder}, {free / GIB:.1f} GiB free", fix)


def _graphics() -> Iterator[Finding]:
    """GPUs by their driver, then torch in a process of its own: whether it can use them."""
    names = _driver_gpus()
    yield Finding("GPU", "good", "; ".join(names) or "none: frames are computed on the cores")
    torch = _spoken(_TORCH)
    if isinstance(torch, str):
        yield Finding("torch works", "lacking", torch, "install torch again; see pytorch.org")
        return
    build = f"CUDA {torch['cuda']}" if torch["cuda"] else "built for processors"
    found = f"{build}, {torch['gpus']} GPUs, {torch['each']}" if torch["gpus"] else build
    unused = len(names) > torch["gpus"]
    fix = "this torch cannot use the GPU: install a CUDA build of it" if unused else ""
    yield Finding("torch works", "noted" if unused else "good", found, fix)


def _driver_gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    return answer.stdout.strip().splitlines() if answer.returncode == 0 else []


def _ray() -> Iterator[Finding]:
    ray = _spoken("import json, workers.listening as w; print(json.dumps(w.listening()))")
    if isinstance(ray, str):
        yield Finding("ray works", "lacking", ray, "pip install --force-reinstall ray")
    else:
        yield Finding("ray works", "good", f"{ray['version']} starts")
        found = f"others reach, with a run's token: {', '.join(ray['elsewhere']) or 'nothing'}"
        yield Finding("ray listens", "noted", found, "its metrics ask for none: see a firewall")


def patience(load: float, cores: int) -> float:
    """Seconds that an answer may take: longer where more wait for a core than there are cores."""
    return _TIMEOUT_S * max(1.0, load / cores)


def _spoken(script: str) -> dict[str, Any] | str:
    """The JSON object that a Python of ours prints, or the last line of what went wrong."""
    command = [sys.executable, "-c", script]
    limit = patience(os.getloadavg()[0], os.cpu_count() or 1)
    try:
        answer = subprocess.run(  # noqa: S603  our own interpreter and text
            command, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {limit:.0f} s"
    if answer.returncode:
        return (answer.stderr.strip().splitlines() or [f"ended with {answer.returncode}"])[-1]
    spoken: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    return spoken


def _video() -> Iterator[Finding]:
    import av

    missing = [name for name in _CODECS if not _decodes(name)]
    present = ", ".join(name for name in _CODECS if name not in missing)
    fix = f"plates in {', '.join(missing)} cannot be read; use PyAV's wheel" if missing else ""
    yield Finding("video", "noted" if missing else "good", f"PyAV {av.__version__}: {present}", fix)


def _decodes(name: str) -> bool:
    import av

    try:
        return bool(av.Codec(name, "r").name)
    except av.error.FFmpegError:
        return False


def _exr() -> Iterator[Finding]:
    """Write a matte of four channels in memory, read it back, compare."""
    import io

    import numpy as np
    import OpenEXR  # type: ignore[import-not-found]

    alpha = np.linspace(0, 1, 64 * 48, dtype=np.float16).reshape(48, 64)
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    target = io.BytesIO()
    OpenEXR.File(header, dict.fromkeys("RGBA", alpha)).write(target)
    target.seek(0)
    read = OpenEXR.File(target, separate_channels=True).channels()
    same = all(np.array_equal(read[channel].pixels, alpha) for channel in "RGBA")
    fix = "" if same else "install OpenEXR again"
    state: Literal["good", "lacking"] = "good" if same else "lacking"
    yield Finding("EXR", state, "written and read back" + ("" if same else ": differs"), fix)


def _weights() -> Iterator[Finding]:
    """The bundled weights against the sha256 in the `.json` beside each."""
    spec = importlib.util.find_spec("model")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    files = [file for folder in folders for file in Path(folder, "weights").glob("*.safetensors")]
    if not files:
        yield Finding("weights", "lacking", "none are bundled", "install adamatte again")
    for file in sorted(files):
        card = json.loads(text_of(file.with_suffix(".json")) or "{}")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        whole = card.get("sha256") == digest
        found = f"{file.stem}, sha256 {digest[:12]}…{'' if whole else ' is not what its card says'}"
        fix = "" if whole else "install adamatte again"
        yield Finding("weights", "good" if whole else "lacking", found, fix)


_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _cores,
    _memory,
    _shared_memory,
    _temporary_folder,
    _graphics,
    _ray,
    _video,
    _exr,
    _weights,
)
