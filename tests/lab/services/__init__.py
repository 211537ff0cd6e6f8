"""Real services, a module each. Adding one is adding a module and its line in `ALL`."""
