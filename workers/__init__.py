"""Executors: where frames are computed. The only place that knows Ray."""
