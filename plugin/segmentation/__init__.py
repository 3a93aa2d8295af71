"""Segmentation: from a frame to the mask of its subject."""
