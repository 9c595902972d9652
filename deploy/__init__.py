"""Running the service: the server and what watches it, keys and proxy, images, Kubernetes, monitoring."""
