"""sha256 of files, in pieces."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """sha256 of the file's bytes, in hex. `OSError` where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place_digest(video: str, place: int) -> str:
    """What stands for one frame of a video: over the file's sha256 and the frame's place in it."""
    return hashlib.sha256(f"{video}:{place}".encode()).hexdigest()
