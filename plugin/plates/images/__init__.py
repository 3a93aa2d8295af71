"""Image files: their headers, layers, colours and pixels, and sequences of them."""
