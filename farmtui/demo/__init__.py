"""A simulated farm behind real protocols on loopback."""
