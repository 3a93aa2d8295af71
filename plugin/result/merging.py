"""What the manifest of a folder says after a further run: of several requests, all that is true."""

from collections.abc import Mapping

from plugin.framerange import FrameRange
from plugin.result.manifest_models import Manifest, RequestRecord
from plugin.types import FrameRecord, FrameState


def merge(old: Manifest, new: Manifest, *, pictures: bool = False) -> Manifest:
    """What the folder holds after a run on some of its frames.

    Args:
        old: as the folder has it; its records stay for frames that are not in `new`.
        new: of this run; everything about the run is taken from it. A frame that it skipped keeps
            the timings and figures of the run that made it.
        pictures: the run made masks or trimaps alone. The manifest of a folder that has mattes goes
            on to tell of those: only what could not be done is added.
    """
    if pictures and any(record.digest for record in old.frames.values()):
        lost = {n: new.frames[n] for n in new.not_done}
        requests = {**old.requests, **(new.requests if lost else {})}
        return old.model_copy(update={"frames": {**old.frames, **lost}, "requests": requests})
    asked = FrameRange.of({*old.asked, *new.asked})
    frames = _joined(old.frames, new.frames)
    return new.model_copy(
        update={"asked": asked, "frames": frames, "requests": _requests(old, new, frames)},
    )


def _requests(
    old: Manifest, new: Manifest, frames: Mapping[int, FrameRecord]
) -> dict[str, RequestRecord]:
    """What was asked of the folder, both before and now: the last to ask for a frame has it.

    What is neither the last word on a frame nor made one is forgotten.
    """
    asked = {n for request in new.requests.values() for n in request.asked}
    both = dict(new.requests)
    for key, request in old.requests.items():
        later = new.requests.get(key)
        left = {*request.asked} - asked if later is None else {*request.asked, *later.asked}
        both[key] = request.asked_for(left)
    named = {record.request for record in frames.values()}
    return {key: request for key, request in both.items() if key in named or request.asked}


def _joined(
    old: Mapping[int, FrameRecord], new: Mapping[int, FrameRecord]
) -> dict[int, FrameRecord]:
    joined = dict(old)
    for number, record in new.items():
        before = old.get(number)
        same = before is not None and before.digest == record.digest != ""
        if same and record.state is FrameState.SKIPPED and before is not None:
            names = ("recipe", "request", "plate", "stamp", "near", "files", "pictures", "device")
            now = {name: getattr(record, name) for name in names}
            joined[number] = before.model_copy(update=now)
        else:
            joined[number] = record
    return joined
