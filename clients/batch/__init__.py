"""Many photos: which there are, what is still to do, where outputs go, and what is told of them."""
