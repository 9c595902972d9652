"""Metadata of photo files: read with care, and written again from what is allowed."""
