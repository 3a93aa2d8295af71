"""Runs a command that ends with whoever started it, however that ends.

    python leash.py SECONDS COMMAND …

Whoever starts it holds the other end of its standard input. When that is closed, by a kill too, the
command is asked to end, and after so many seconds it is ended with all that it has started.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main(words: list[str]) -> int:
    """Run it; its exit code. SIGTERM is passed on."""
    asked = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def end(*_: object) -> None:
        asked.set()
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, end)
    child = subprocess.Popen(  # noqa: S603  whoever starts this says what
        words[1:], stdin=subprocess.DEVNULL, start_new_session=True
    )
    if asked.is_set():  # between the two lines above
        child.terminate()
    watch = (child, float(words[0]))
    threading.Thread(target=_end_when_alone, args=watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_when_alone(child: subprocess.Popen[bytes], grace: float) -> None:
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        with suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
