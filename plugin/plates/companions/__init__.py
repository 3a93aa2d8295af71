"""Pictures beside a plate: masks, trimaps, clean plates, painted overrides."""
