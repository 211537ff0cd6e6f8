"""Completion for shells: what may stand next on a `farmtui` command line. No network, and nothing heavy is imported."""
