"""The job as a whole: probed, planned, run, written down."""
