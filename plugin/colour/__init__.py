"""From the plate's colour space to what the network sees."""
