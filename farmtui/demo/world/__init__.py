"""The simulated farm's world: its state at any time is a function of the seed, the time and what has happened."""
