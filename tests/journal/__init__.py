"""The journal: its chain, its leases, and the proof that it is whole."""
