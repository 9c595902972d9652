"""Benchmarks: what the service costs, as ratios within one run, with tracked results."""
