"""The Prometheus source: against servers with faults, and on what real daemons print."""
