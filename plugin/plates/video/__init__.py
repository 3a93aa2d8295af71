"""Video files: opened, indexed, decoded frame by frame, turned into RGB by their tags."""
