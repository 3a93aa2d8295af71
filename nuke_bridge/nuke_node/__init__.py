"""The AdaMatte node of Nuke. `host` is the only module that imports Nuke."""
