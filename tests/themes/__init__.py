"""Tests of the palettes and of the stylesheet that all screens share."""
