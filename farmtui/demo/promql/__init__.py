"""PromQL for the simulated Prometheus: parsed as the real one does, evaluated for all steps of a range at once."""
