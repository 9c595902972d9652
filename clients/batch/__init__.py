"""Many photos: which there are, what is still to do, where outputs go, and how they are reported."""
