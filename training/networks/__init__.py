"""The networks: the generator that ships and the discriminator that trains it."""
