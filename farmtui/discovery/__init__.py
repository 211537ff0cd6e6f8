"""What `farmtui init` finds: on this machine and by asking the farm's systems; and the config that comes of it."""
