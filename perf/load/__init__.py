"""Load from NVIDIA's perf_analyzer: scenarios, each measured through a server."""
