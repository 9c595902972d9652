"""Files of this project: where the checkout's are, how others are written whole, and their hashes.

Needs Python's standard library alone, since what runs on a bare system Python uses it.
"""
