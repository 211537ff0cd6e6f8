"""Runbooks: books, plans, runs, and everything that dies under them."""
