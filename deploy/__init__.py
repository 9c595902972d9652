"""Running the service: the CPU profile's launcher, images and compose files for the GPU profile."""
