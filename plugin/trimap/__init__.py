"""Trimaps: the band, how soft a plate is, the source of a shot, overrides."""
