"""The command line as a user runs it: subprocesses with their output and exit codes."""
