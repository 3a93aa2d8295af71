"""The short table that a run ends with in the terminal."""

from collections import Counter
from pathlib import Path

from plugin.framerange import FrameRange
from plugin.report.measure import figures_of, is_done, read_flicker
from plugin.report.worst import worst
from plugin.result.manifest import Manifest
from plugin.types import FrameState

_STAGES, _SUSPECTS = 5, 3
_SMALL = 0.005


def summary(manifest: Manifest, out: Path, *, asked: FrameRange | None = None) -> list[str]:
    """Lines of label and text: frames, time, stage shares, worst frames, where to look.

    Args:
        manifest: as the run left it.
        out: the output folder, where figures of the report are.
        asked: the frames of this run; None is all.
    """
    numbers = manifest.promised if asked is None else asked.intersection(manifest.promised)
    records = {n: manifest.frames[n] for n in numbers if n in manifest.frames}
    done = FrameRange.of(n for n, record in records.items() if is_done(record))
    rows = [("frames", f"{len(done)} of {len(numbers)} done{_failed(manifest, numbers)}")]
    computed = [record for record in records.values() if record.state is FrameState.DONE]
    if computed:
        seconds = sum(record.seconds for record in computed)
        mean = seconds / len(computed)
        rows.append(("time", f"{mean:.2f} s a frame on one worker, {seconds:.0f} s of work"))
        spent: Counter[str] = Counter()
        for record in computed:
            spent.update(record.stages)
        total = sum(spent.values())
        shares = [(name, part / total) for name, part in spent.most_common(_STAGES) if total]
        listed = " · ".join(f"{n} {share:.0%}" for n, share in shares if share > _SMALL)
        rows.append(("spent on", listed))
    report = out / "report"
    figures = [f for f in figures_of(manifest, read_flicker(report, manifest)) if f.number in done]
    suspects = [one for one in worst(figures, _SUSPECTS, manifest.keys) if one.severity >= 1]
    for place, one in enumerate(suspects):
        rows.append(("" if place else "look at", f"{one.number}: {one.reasons[0].text}"))
    if (report / "index.html").is_file():
        rows.append(("report", str(report / "index.html")))
    return [f"{label:<9} {text}" for label, text in rows]


def _failed(manifest: Manifest, numbers: FrameRange) -> str:
    failed = manifest.not_done.intersection(numbers)
    return f", {len(failed)} failed: {failed}" if failed else ""
