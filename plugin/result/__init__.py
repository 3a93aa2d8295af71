"""A shot's output folder: layout, manifest, raw alphas, proof."""
