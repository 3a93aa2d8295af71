"""The short lock on an output folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plugin.disk.folder_lock import LOCK_NAME, folder_lock
from plugin.errors import OutputError

_HOLDER = """
import sys
from pathlib import Path
from plugin.disk.folder_lock import folder_lock

with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(OutputError, match=f"held by process {holder.pid} on"),
            folder_lock(tmp_path, patience=0),
        ):
            pass
        holder.kill()
        holder.wait()
        with folder_lock(tmp_path, patience=0):
            pass


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="ascii")
    (tmp_path / LOCK_NAME).symlink_to(victim)
    with pytest.raises(OutputError), folder_lock(tmp_path):
        pass
    assert victim.read_text(encoding="ascii") == "precious"
