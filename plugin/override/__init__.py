"""The shot's trimap override file: an artist's corrections, which last."""

from plugin.override.override import Override, load
from plugin.override.words import explain, json_schema

__all__ = ["Override", "explain", "json_schema", "load"]
