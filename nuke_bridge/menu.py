"""Nuke runs this at start when it has an interface, after `init.py`."""

from __future__ import annotations

import sys
import traceback

try:
    from nuke_bridge.nuke_node import startup

    startup.with_interface()
except Exception:  # noqa: BLE001, RUF100  whatever it is, Nuke must start
    sys.stderr.write("AdaMatte is not available:\n" + traceback.format_exc())
