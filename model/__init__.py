"""AdaMatting, after "Disentangled Image Matting" (Cai et al., ICCV 2019).

from model import Matter

adapted, alpha = Matter("lite")(image, trimap)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.matter import Matter

__all__ = ["Matter"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  a module's attributes are of any type
    # Lazily: importing this package starts nothing.
    if name == "Matter":
        from model.matter import Matter

        return Matter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
