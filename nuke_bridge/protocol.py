"""What a host needs of AdaMatte, whatever the host: it knows neither Nuke nor Blender.

    request = Request(plate="…/sh010.%04d.exr", out="…/mattes/sh010", shot="sh010", frames=[1001])
    job = LocalJob(request, program()).start()      or FarmJob(new_job_id("sh010"), …).start()
    for status in job.poll(): …                     from the interface, which never waits
    frame_states(request)                           done, missing, failed, stale; in a thread

A second host is a module that makes a `Request` of its own node, polls, and shows.
"""

from __future__ import annotations

from .core.errors import BridgeError
from .core.farm import FarmJob, new_job_id
from .core.frames import format_range, is_pattern, of_pattern, parse_range, runs, split_pattern
from .core.local import LocalJob
from .core.manifest import DONE, FAILED, MISSING, STALE, FrameStates, frame_states
from .core.options import OPTIONS, Option, option
from .core.override_file import (
    CLASSES,
    OverrideText,
    Polygon,
    read_override,
    write_polygons,
)
from .core.request import Request, program, shot_name, versioned
from .core.status import ENDED, Job, Status

__all__ = [
    "CLASSES",
    "DONE",
    "ENDED",
    "FAILED",
    "MISSING",
    "OPTIONS",
    "STALE",
    "BridgeError",
    "FarmJob",
    "FrameStates",
    "Job",
    "LocalJob",
    "Option",
    "OverrideText",
    "Polygon",
    "Request",
    "Status",
    "format_range",
    "frame_states",
    "is_pattern",
    "new_job_id",
    "of_pattern",
    "option",
    "parse_range",
    "program",
    "read_override",
    "runs",
    "shot_name",
    "split_pattern",
    "versioned",
    "write_polygons",
]
