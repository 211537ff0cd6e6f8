"""Tests of pure functions and of the config."""
