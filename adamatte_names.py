"""From its import on, the program's packages are those that lie beside this module.

They have plain names. A folder or a module of such a name where the user stands, or on PYTHONPATH,
is not meant by them, whatever the path says. Ray's actors import this and nothing above it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_HERE = Path(__file__).resolve().parent
_OURS = ("plugin", "model", "workers", "nuke_bridge")


class _OurPackages:
    """Finds the program's packages beside this module; leaves all other names to the path."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        return PathFinder.find_spec(name, [str(_HERE)]) if name in _OURS else None


def _refuse_others() -> None:
    """A package of another's that is imported already cannot be taken back."""
    for name in _OURS:
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if module is not None and (file is None or _HERE not in Path(file).resolve().parents):
            raise ImportError(
                f"`{name}` is imported already, from {file}: import adamatte before it", name=name
            )


_refuse_others()
if _OurPackages not in sys.meta_path:
    sys.meta_path.insert(0, _OurPackages)
