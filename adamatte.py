"""AdaMatte from Python, and the command `adamatte`.

    import adamatte

    manifest = adamatte.run(adamatte.Shot(plate="sh010.mov", out="mattes/sh010"))
    adapted, alpha = adamatte.Matter("lite")(image, trimap)

The program's packages have plain names: `plugin`, `model`, `workers`, `nuke_bridge`. A folder or a
module of such a name where the user stands, or on PYTHONPATH, is not meant by them: once this
module is imported, they are those that lie beside it, whatever the path says.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model import Matter
    from plugin import Shot, run

__all__ = ["Matter", "Shot", "main", "run"]

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


def __getattr__(name: str) -> Any:  # noqa: ANN401  a module's attributes are of any type
    # Lazily: importing this module starts nothing.
    if name == "Matter":
        from model import Matter

        return Matter
    if name in ("Shot", "run"):
        import plugin

        return getattr(plugin, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> int:
    """The command line."""
    from plugin.cli import main as command

    return command()


_refuse_others()
if _OurPackages not in sys.meta_path:
    sys.meta_path.insert(0, _OurPackages)

if __name__ == "__main__":
    sys.exit(main())
