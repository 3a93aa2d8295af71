"""The run that the desk starts ends with the desk, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin.desk import leash
from plugin.result.layout import OutputLayout
from tests.desks import open_desk
from tests.jobs import creature

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
again = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: 0); print('two', flush=True)"
subprocess.Popen([sys.executable, "-c", again + "; time.sleep(600); time.sleep(600)"])
print("one", flush=True)
while True:
    time.sleep(600)
"""


def on_leash(seconds: float, code: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-P", leash.__file__, str(seconds), sys.executable, "-c", code]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("killed", [False, True])
def test_what_will_not_end_is_ended_with_all_that_it_started(killed: bool) -> None:
    """Its output ends only when the last that holds it is gone."""
    holder = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)"
    )
    words = [sys.executable, "-P", leash.__file__, "0.3", sys.executable, "-c", STUBBORN]
    with subprocess.Popen(
        [sys.executable, "-c", holder + "; time.sleep(600)", *words],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert {process.stdout.readline() for _ in range(2)} == {"one\n", "two\n"}
        process.send_signal(signal.SIGKILL if killed else signal.SIGTERM)
        assert process.stdout.read() == "asked\n"


def test_what_ends_says_how() -> None:
    with on_leash(60, "import sys; print('here'); sys.exit(3)") as process:
        assert process.stdout is not None
        assert process.stdout.read() == "here\n"
        assert process.wait(60) == 3


def test_a_signal_is_passed_on_and_nothing_is_forced() -> None:
    code = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("here", flush=True)
signal.pause()
"""
    with on_leash(0, code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.terminate()
        assert process.wait(60) == 7


@pytest.mark.slow
def test_a_run_does_not_outlive_its_desk(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=40).model_copy(update={"executor": "process"})
    with open_desk(shot) as opened:
        client = opened.client()
        client.post("/api/run")
        while not client.get("/api/job")["done"]:
            assert client.get("/api/job")["state"] in ("starting", "running")
            time.sleep(0.02)
        assert runs(shot.out)
        opened.kill()
    until = time.monotonic() + 60
    while runs(shot.out):
        assert time.monotonic() < until
        time.sleep(0.05)
    there = len(OutputLayout.of(shot).pattern("alpha").scan())
    assert 0 < there < 40
    with open_desk(shot) as opened:  # the folder is free
        assert opened.client().get("/api/marks")["due"]


def runs(out: Path) -> list[str]:
    """The processes that run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"run" in words and any(os.fsencode(out) in word for word in words):
                found.append(entry.name)
    return found
