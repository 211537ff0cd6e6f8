"""Prometheus, or what speaks its API: the query catalogue, the poll of all figures, and the trends."""
