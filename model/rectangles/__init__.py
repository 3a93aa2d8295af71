"""Which rectangles of a frame to work on, and cutting them out."""
