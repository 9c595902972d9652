"""What the models of Triton's Python backend share: requests, options, metrics, waiting, the CPU profile's engine."""
