"""Runbooks: what they are made of, the plan of a run, the run itself, and the library."""
