"""The AdaMatte add-on of Blender. `addon` is the only module that imports Blender."""
