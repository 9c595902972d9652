"""The GPU profile in containers: the image, and the commands that build plans in it and serve.

Needs Docker, and Python's standard library alone.
"""
