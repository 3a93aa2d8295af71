"""`Window`: a rectangle of pixels, as OpenEXR gives its data and display windows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A pixel rectangle, both corners included, y down: OpenEXR's data and display windows."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    @classmethod
    def of_size(cls, width: int, height: int) -> Window:
        """The window of that size at the origin."""
        return cls(0, 0, width - 1, height - 1)

    def joined(self, other: Window) -> Window:
        """The smallest window that holds both."""
        low = min(self.x_min, other.x_min), min(self.y_min, other.y_min)
        return Window(*low, max(self.x_max, other.x_max), max(self.y_max, other.y_max))

    def area_of(self, part: Window) -> tuple[slice, slice]:
        """Rows and columns of an array of this window that show a part of it."""
        rows = slice(part.y_min - self.y_min, part.y_max - self.y_min + 1)
        return rows, slice(part.x_min - self.x_min, part.x_max - self.x_min + 1)

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.x_max - self.x_min + 1

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.y_max - self.y_min + 1
