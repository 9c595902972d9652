"""Roofline: how near the networks come to what a machine could do."""
