"""Masks from files: which goes with which frame, how their values are meant, reading them."""
