"""Input planes of our own: what known colours say about unknown pixels."""
