"""What is asked: `Shot`, and the job file it comes from and travels in."""
