"""Logs of the farm's machines and services: read over SSH, followed, and held within bounds."""
