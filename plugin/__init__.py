"""AdaMatte's domain: plates, segmentation, trimaps, EXR, manifests, the command line.

from plugin import Shot, run

manifest = run(Shot(plate="sh010.mov", out="mattes/sh010"))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plugin.driver.run import run
    from plugin.request.shot import Shot

__all__ = ["Shot", "run"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  a module's attributes are of any type
    # Lazily: importing this package starts nothing, and `adamatte --help` stays quick.
    if name == "run":
        from plugin.driver.run import run

        return run
    if name == "Shot":
        from plugin.request.shot import Shot

        return Shot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
