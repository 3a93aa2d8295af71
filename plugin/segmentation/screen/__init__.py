"""A key from the colour of the screen."""
