"""Exposures of one scene: told apart from single photos, without a server."""
