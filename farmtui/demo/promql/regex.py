"""What Go says of a bad regular expression, as far as Python tells why it is bad."""

from __future__ import annotations

import re

_WORDS = (
    ("unterminated subpattern", "missing closing )"),
    ("unterminated character set", "missing closing ]"),
    ("unbalanced parenthesis", "unexpected )"),
    ("nothing to repeat", "missing argument to repetition operator"),
    ("multiple repeat", "invalid nested repetition operator"),
    ("bad character range", "invalid character class range"),
    ("bad escape (end of pattern)", "trailing backslash at end of expression"),
    ("bad escape", "invalid escape sequence"),
)


def anchored(pattern: str) -> str:
    """An expression as matchers compile it."""
    return f"^(?:{pattern})$"


def regex_words(shown: str, error: re.error) -> str:
    """The words for an expression that does not compile; `shown` is how it is quoted."""
    words = next((go for python, go in _WORDS if python in error.msg), "invalid or unsupported Perl syntax")
    return f"error parsing regexp: {words}: `{shown}`"
