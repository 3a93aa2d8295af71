"""What a run says while it works, and how it ends early."""
