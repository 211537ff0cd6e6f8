"""How each kind of step acts: begun at most once for each announcement, found again after a loss, and stopped."""
