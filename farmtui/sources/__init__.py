"""One module per upstream: each returns domain values and never raises past its own poll."""
