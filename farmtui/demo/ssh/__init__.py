"""SSH servers of the simulated machines: commands that read the world and act on it. Nothing is ever run for real."""
