"""Palettes as data, and the one place that turns them into Textual themes."""
