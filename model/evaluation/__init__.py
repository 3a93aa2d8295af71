"""Measuring mattes: metrics, benchmark folders, baselines, test sets, the table of results."""
