"""What `farmtui init` finds, what it makes of it, and what it writes."""
