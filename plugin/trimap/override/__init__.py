"""The shot's trimap override file: an artist's corrections, which last."""

from plugin.trimap.override.override import Override, load
from plugin.trimap.override.words import explain, json_schema

__all__ = ["Override", "explain", "json_schema", "load"]
