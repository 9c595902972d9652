"""How near a network comes to what this machine could do, and what a DGX Spark could do at best."""
