"""A matte that does not flicker: the second pass over raw alphas."""
