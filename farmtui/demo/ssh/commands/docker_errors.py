"""What docker refuses."""

from __future__ import annotations


class DockerError(Exception):
    """A refusal in docker's own words."""
