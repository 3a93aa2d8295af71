"""AdaMatte from Python, and the command `adamatte`.

    import adamatte

    manifest = adamatte.run(adamatte.Shot(plate="sh010.mov", out="mattes/sh010"))
    adapted, alpha = adamatte.Matter("lite")(image, trimap)

The program's packages have plain names: `plugin`, `model`, `workers`, `nuke_bridge`. Once this
module is imported, they are those that lie beside it: see `adamatte_names`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import adamatte_names  # noqa: F401  from here on, our packages are ours

if TYPE_CHECKING:
    from model import Matter
    from plugin import Shot, run

__all__ = ["Matter", "Shot", "main", "run"]


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


if __name__ == "__main__":
    sys.exit(main())
