"""The runbooks that ship with farmtui, as data."""
