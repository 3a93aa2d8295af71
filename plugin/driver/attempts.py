"""A frame of a result matted again under a further override rule, to see whether it helps."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from plugin.disk.inputs import ledger, read_whole
from plugin.driver.probe import pass_in_order, probed
from plugin.errors import RequestError
from plugin.progress.modes import QuietProgress
from plugin.report.faults import look_at
from plugin.report.figures import frame_figures
from plugin.report.suggest import Attempt, Rule
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.segmentation import in_order
from plugin.trimap.override.document import MAX_BYTES
from plugin.trimap.override.override import of_bytes
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import PlateInfo


@contextmanager
def attempts(shot: Shot) -> Iterator[Attempt]:
    """Mattes frames of a shot here, in memory: nothing is read from its folder, nothing written.

    Args:
        shot: as its manifest has it, `out` the folder where it lies by now.

    Raises:
        AdaMatteError: the plate, a mask or the weights are not to be had.
    """
    from model.inference.threads import settled_process
    from workers.raw_alphas import RawAlphas
    from workers.stage_clock import Stages

    quiet = QuietProgress()
    with probed(shot, "alpha", quiet) as (plan, plate, _):
        passed = plan.segment is not None and in_order(plan.segment)
        if passed and not (shot.out / "track").is_dir():
            raise RequestError("its carried masks are gone", where=shot.out, fix="run it again")
        settled = pass_in_order(plan, plate, OutputLayout.of(shot), quiet, here=True)
    worker = RawAlphas(settled)
    before = _document(shot, worker.plate.info)

    def under(rule: Rule | None) -> TrimapSource:
        rules = [*before["rules"], *([] if rule is None else [rule])]
        content = json.dumps({**before, "rules": rules}).encode()
        path = Path(shot.override or shot.out / f"{shot.name}.trimap.json").absolute()
        corrections = of_bytes(content, path, worker.plate.info) if rules else None
        return TrimapSource(plan.trimap or TrimapPlan(kind="band"), worker.plate.info, corrections)

    @cache
    def figures(number: int, written: str) -> Mapping[str, float]:
        worker.trimaps = under(json.loads(written))
        with ledger(keep=True):
            source, raw = worker.fresh(number, Stages())
        area = source.area
        labels = np.ascontiguousarray(raw.trimap[area])
        alpha = raw.alpha.astype(np.float32, copy=False)
        return frame_figures(labels, raw.adapted, alpha) | look_at(source.rgb[area], labels, alpha)

    with settled_process(), closing(worker.plate):
        yield lambda number, rule: figures(number, json.dumps(rule))


def _document(shot: Shot, info: PlateInfo) -> dict[str, Any]:
    """The shot's override file; one without rules where it has none."""
    if shot.override is not None:
        found: dict[str, Any] = json.loads(read_whole(Path(shot.override), MAX_BYTES))
        return found
    window = info.display_window
    size = {"width": window.width, "height": window.height}
    return {"schema": "trimap-override/1", "shot": shot.name, "plate": size, "rules": []}
