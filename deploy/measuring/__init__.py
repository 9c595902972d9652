"""What benchmarks, checks and tests share: servers to ask, the memory that they take, the machine below them."""
