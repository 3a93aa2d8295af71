"""What differs from the same view without the subject."""
