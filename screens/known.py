"""What is known of a subject, whoever knows it: the farm of its things, the journal and the shelf of runs and books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.describe import Detail, describe
from screens.remedy_details import describe_book, describe_run

if TYPE_CHECKING:
    from screens.console import Console
    from screens.places import Subject


REMEDY_KINDS = ("book", "run")
"""Kinds of subjects that the journal and the shelf know, not the farm."""


def known_of(console: Console, subject: Subject) -> Detail | None:
    """What is known of a subject now; None when nothing knows it any more."""
    if subject.kind in REMEDY_KINDS:
        if console.remedies is None:
            return None
        picture = console.remedies.picture
        return describe_book(picture, subject.key) if subject.kind == "book" else describe_run(picture, subject.key)
    return describe(console.farm, subject) if console.farm is not None else None
