"""Photo files: parsed and checked by bounded code of our own, decoded by libraries in processes that may die."""
