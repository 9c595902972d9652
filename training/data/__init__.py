"""Pairs for training: where they come from, how they are stored, how they reach the network."""
