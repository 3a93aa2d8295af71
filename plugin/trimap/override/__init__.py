"""The shot's trimap override file: an artist's corrections, which last."""

from plugin.trimap.override.override import Override, load, of_bytes
from plugin.trimap.override.words import explain, json_schema

__all__ = ["Override", "explain", "json_schema", "load", "of_bytes"]
