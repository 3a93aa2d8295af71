"""The smallest network that has every part, for tests that need a real one."""

from __future__ import annotations

from model.config import AdaMattingConfig

TINY = AdaMattingConfig(
    blocks=(1, 1, 1, 1),
    widths=(8, 8, 8, 8),
    bottleneck=False,
    stem=8,
    decoder=(8, 8, 8, 8, 8),
    kernel=3,
    hidden=4,
    colour_planes=True,
)
