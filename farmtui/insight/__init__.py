"""Pure functions over a Farm."""
