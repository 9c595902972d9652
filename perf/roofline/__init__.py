"""Roofline: how near the generator comes to what a machine could do."""
