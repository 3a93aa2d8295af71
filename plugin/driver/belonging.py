"""Whether an output folder is this shot's: two plates, or two shots, in one folder are refused."""

from plugin.errors import AdaMatteError, ShotError
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, load
from plugin.types import PlateSource


class Belonging:
    """Says of a folder's manifest whether a shot may be matted into it.

    Args:
        shot: what is to be done, with absolute paths.
        plate: its plate; it may be closed when another's manifest is looked at.
    """

    def __init__(self, shot: Shot, plate: PlateSource) -> None:
        self._shot, self._plate = shot, plate

    def check_folder(self) -> None:
        """Refuse a folder that is another shot's, before anything is written.

        Raises:
            ShotError: it is.
            OutputError: its manifest is damaged.
        """
        path = OutputLayout.of(self._shot).manifest
        if path.exists():
            self.check(load(path))

    def check(self, there: Manifest) -> None:
        """Refuse a manifest that is another shot's.

        A plate that was moved is the same plate: every frame that both know has the same sum.

        Raises:
            ShotError: it tells of frames of another plate or name.
        """
        if not there.frames:
            return
        if there.shot.name != self._shot.name:
            raise self._refusal(f"of the shot {there.shot.name}")
        if there.plate.path != self._plate.info.path and not self._same_frames(there):
            raise self._refusal(f"of another plate, {there.plate.path}")

    def _refusal(self, whose: str) -> ShotError:
        fix = "take another --out, or move that folder away"
        return ShotError(f"the folder holds frames {whose}", where=self._shot.out, fix=fix)

    def _same_frames(self, there: Manifest) -> bool:
        known = {n: record.plate for n, record in there.frames.items() if record.plate}
        try:
            both = [number for number in known if number in self._plate.info.frames]
            return bool(both) and all(self._plate.digest(n) == known[n] for n in both)
        except AdaMatteError:
            return False
