"""The tests of farmtui."""
