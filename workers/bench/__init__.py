"""`adamatte bench`: what network, job, workers and memory cost, as ratios inside one run."""
