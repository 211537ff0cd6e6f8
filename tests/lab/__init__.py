"""The console against real daemons from Debian: `make lab` (needs root to install them, not to run them)."""
