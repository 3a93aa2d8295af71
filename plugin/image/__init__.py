"""Pictures as arrays: sums over channels, spreading, regions."""
