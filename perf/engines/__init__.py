"""Both networks in every engine, each engine in a process of its own while it is measured."""
