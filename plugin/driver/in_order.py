"""The other side of `plugin.driver.apart`.

    python -P -m plugin.driver.in_order  < the plan as a line of JSON

The answer is lines of JSON: notes, then the plan or what failed. It ends when its input does, so
that none outlives a driver that was killed.
"""

import json
import os
import sys
import threading
from contextlib import closing
from typing import TextIO

from plugin.driver.plan import Plan
from plugin.driver.probe import pass_in_order
from plugin.errors import AdaMatteError
from plugin.plates import plate_of
from plugin.progress.modes import QuietProgress
from plugin.result.layout import OutputLayout


class _Told(QuietProgress):
    """Passes on to the driver what a run tells of a pass."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers

    def note(self, text: str) -> None:
        self.tell(note=text)

    def step(self, name: str, done: int, total: int) -> None:
        self.tell(step=(name, done, total))

    def tell(self, **said: object) -> None:
        """A line of JSON."""
        print(json.dumps(said), file=self._answers, flush=True)


def _end_with_the_driver() -> None:
    sys.stdin.read()
    os._exit(1)


def _main() -> None:
    told = _Told(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what libraries print is no answer
    plan = Plan.model_validate_json(sys.stdin.readline())
    shot, by_tags = plan.shot, plan.colour.by_tags
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    try:
        opened = plate_of(shot, known=plan.plate, canvas=plan.canvas, one_colour=by_tags)
        with closing(opened) as plate:
            done = pass_in_order(plan, plate, OutputLayout.of(shot), told, here=True)
    except AdaMatteError as error:
        told.tell(error=[type(error).__name__, error.what, error.where, error.fix])
    else:
        told.tell(plan=done.model_dump_json())


if __name__ == "__main__":
    _main()
