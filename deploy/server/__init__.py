"""Runs and watches tritonserver: the CPU profile's (launcher.py), and the GPU profile's in its image (start.py).

Needs Python's standard library alone.
"""
