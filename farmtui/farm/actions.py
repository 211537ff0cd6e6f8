"""What an action on the farm may end with."""

from __future__ import annotations


class ActionError(Exception):
    """An action that did not happen, or of which it is not known; the text says which, why, and what to do."""
