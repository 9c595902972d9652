"""The networks: the generator that ships and the critic that trains it."""
