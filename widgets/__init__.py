"""Reusable parts: each knows nothing of the farm but the values it is given."""
