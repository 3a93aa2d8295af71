"""AdaMatte's domain: plates, segmentation, trimaps, EXR, manifests, the command line."""
