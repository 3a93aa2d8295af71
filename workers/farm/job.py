"""`FarmJob`: a shot as a farm needs to know it."""

from dataclasses import dataclass
from pathlib import Path

from plugin.framerange import FrameRange
from plugin.plates import KnownCanvas
from plugin.request.shot import Shot

_JOB_FILE = "adamatte.toml"
"""In the output folder: the whole request."""


@dataclass(frozen=True, slots=True)
class FarmJob:
    """A shot as a farm needs to know it.

    Attributes:
        shot: with absolute paths.
        frames: all that are to be done.
        chunk: frames a task; 1 where the frames have gaps, for a task is told its first and last.
        program: the `adamatte` that tasks call, as machines of the farm find it.
        in_order: a pass through the whole shot comes first, such as tracking: it is a task of its
            own, and the others wait for it.
        canvas: what the headers of the whole plate said, so that tasks read those of their own
            frames alone.
    """

    shot: Shot
    frames: FrameRange
    chunk: int
    program: str
    in_order: bool
    canvas: KnownCanvas | None = None

    @property
    def title(self) -> str:
        """How the farm lists it."""
        return f"AdaMatte {self.shot.name}"

    @property
    def job_file(self) -> Path:
        """The request, for `adamatte run --job`."""
        return self.shot.out / _JOB_FILE

    @property
    def first_frames(self) -> str:
        """What the task asks for that goes first: the shot's two ends, and so all between them."""
        return str(FrameRange.of({self.frames.first, self.frames.last}))

    def arguments(self, frames: str, *, progress: str = "plain") -> list[str]:
        """What follows the program's name.

        Args:
            frames: the farm's own token for the frames of a task.
            progress: how the task reports.
        """
        return ["run", "--job", str(self.job_file), "--frames", frames, "--progress", progress]
