"""farmtui: the operations console of a WordPress farm, in a terminal."""
