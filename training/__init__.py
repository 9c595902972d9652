"""Training: from pairs, brackets or radiance to the weights of the generator."""
