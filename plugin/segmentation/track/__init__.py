"""The masks of key frames, carried through the shot."""
