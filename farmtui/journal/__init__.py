"""The append-only, hash-chained record of what was done to the farm: the runs, and the audit of them."""
