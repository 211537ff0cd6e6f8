"""Tests of the widgets, each on a stage of its own, and of the pure functions they are made of."""
