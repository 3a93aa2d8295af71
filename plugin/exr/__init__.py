"""The alpha EXR: encoded, decoded, proved by its own contents."""

from plugin.exr.alpha_file import read_alpha

__all__ = ["read_alpha"]
