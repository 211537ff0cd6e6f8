"""The sources against real servers on loopback that misbehave in every way we know."""
