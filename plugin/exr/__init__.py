"""The alpha EXR: encoded, decoded, proved by its own contents."""
