"""AdaMatte inside a compositor: Nuke and Blender, on one core that knows neither.

Standard library only, Python 3.7 to 3.13. This folder is what a studio puts on `NUKE_PATH` (Nuke
runs `init.py` and `menu.py`), or among Blender's add-ons (Blender calls `register`).
"""

from __future__ import annotations

bl_info = {
    "name": "AdaMatte",
    "author": "The AdaMatte engineers",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Compositor > Sidebar > AdaMatte",
    "description": "Mattes a movie clip or an image sequence",
    "category": "Compositing",
}
"""What Blender reads of an add-on, without running it."""


def register() -> None:
    """Blender switches the add-on on."""
    from .blender.addon import register as switch_on

    switch_on()


def unregister() -> None:
    """Blender switches the add-on off."""
    from .blender.addon import unregister as switch_off

    switch_off()
