"""What Go says of a bad regular expression: RE2's faults in its words."""

from __future__ import annotations

from farmtui.farm.expressions import ExpressionError

_WORDS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "trailing \\": "trailing backslash at end of expression",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "pattern too large": "expression too large",
}
_OF_ALL = frozenset({"missing )", "unexpected )"})


def regex_words(shown: str, error: ExpressionError) -> str:
    """The words for an expression that does not compile; `shown` is how all of it is quoted."""
    words = _WORDS.get(error.code, error.code)
    return f"error parsing regexp: {words}: `{shown if error.code in _OF_ALL else error.fragment}`"
