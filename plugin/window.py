"""`Window`: a rectangle of pixels, as OpenEXR gives its data and display windows."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Window:
    """A pixel rectangle, both corners included, y down: OpenEXR's data and display windows."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """A field of a model: in files `[x_min, y_min, x_max, y_max]`."""
        corners = core_schema.list_schema(
            core_schema.int_schema(), min_length=len(fields(cls)), max_length=len(fields(cls))
        )
        read = core_schema.no_info_after_validator_function(lambda four: cls(*four), corners)
        return core_schema.json_or_python_schema(
            json_schema=read,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(cls), read], mode="left_to_right"
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda window: [window.x_min, window.y_min, window.x_max, window.y_max]
            ),
        )

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
