"""Regular expressions that come from people and files, by RE2: the engine (and so the syntax) of Go's programs.

RE2 takes time in proportion to the length of the text, whatever the expression; Python's own engine may take for ever
over forty characters, and the console with it. The console's own expressions, which are known, are Python's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY: Final = 1 << 20
"""Bytes that one expression may take, its automaton included."""
STEPS: Final = 25_000
"""Instructions of RE2 that an expression may have; none takes more than these for each byte of a text. The names of a
farm's 500 sites, 40 letters each and joined by |, are 20,000."""
_KEPT: Final = 512
_SEARCHED: Final = 500
"""Characters of an expression in which the place of a fault is looked for."""


class ExpressionError(ValueError):
    """An expression that RE2 does not take. `place` counts from 0; `what` is wrong there, `remedy` how to write it."""

    def __init__(self, code: str, fragment: str, place: int, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.code = code
        """RE2's own words."""
        self.fragment = fragment
        self.place = place
        self.what = what
        self.remedy = remedy


class Expression:
    """An expression that is ready to be held against texts. The same one may be used by several threads."""

    __slots__ = ("_program",)

    def __init__(self, program: Any) -> None:
        self._program = program

    def found_in(self, text: str) -> bool:
        """Whether it matches somewhere in the text."""
        # Bytes: spans would be counted again in characters, and nobody asks for them here.
        return self._program.search(_bytes(text)) is not None

    def groups_in(self, text: str) -> Mapping[str, str] | None:
        """The groups of the first match by number and by name, absent ones empty; None where nothing matches."""
        found = self._program.search(text)
        if found is None:
            return None
        groups = {str(number): found[number] or "" for number in range(self._program.groups + 1)}
        return groups | {name: found[name] or "" for name in self._program.groupindex}

    @property
    def steps(self) -> int:
        """Instructions of the program: the most that a byte of a text can cost."""
        return int(self._program.programsize)


def anchored(text: str) -> str:
    """An expression that all of a text must match, as Alertmanager and Prometheus compile it."""
    return f"^(?:{text})$"


def expression(
    text: str, *, ignore_case: bool = False, whole: bool = False, by_line: bool = False, dot_all: bool = False
) -> Expression:
    """Compile an expression, or give the one compiled before. Raises ExpressionError.

    `whole`: all of a text must match, and not a part of it; `by_line`: ^ and $ stand at every line; `dot_all`: a dot is
    any character, a line's end too.
    """
    return _compiled(text, ignore_case, whole, by_line, dot_all)


def grouped(text: str, *, dot_all: bool = False) -> Expression:
    """An expression that all of a text must match and whose groups are asked for. Raises ExpressionError."""
    _compiled(text, False, True, False, dot_all)
    return Expression(_program(anchored(text), dot_all=dot_all, captures=True))


@lru_cache(maxsize=_KEPT)
def _compiled(text: str, ignore_case: bool, whole: bool, by_line: bool, dot_all: bool) -> Expression:
    # By itself first, as Alertmanager 0.25 checks a silence: `a)|(b` is sound between the brackets of `anchored` alone,
    # and a fault is told in the words that were typed. Then in its brackets, of which `\Qa` swallows the second.
    fault = _fault(text)
    if fault is not None:
        raise _error(text, *fault)
    import re2

    try:
        inner = anchored(text) if whole else text
        program = _program(f"(?m){inner}" if by_line else inner, ignore_case=ignore_case, dot_all=dot_all)
    except re2.error as error:
        code, fragment = _words(error)
        if code == "missing )":
            what, remedy = "what \\Q begins is never closed", "write \\E behind it"
            raise ExpressionError(code, fragment, max(0, text.rfind("\\Q")), what, remedy) from None
        raise _error(text, code, fragment) from None
    if program.programsize > STEPS:
        raise _error(text, "pattern too large", text)
    return Expression(program)


def _program(text: str, *, ignore_case: bool = False, dot_all: bool = False, captures: bool = False) -> Any:
    # Imported by who compiles one: 2 ms that the console's first picture needs not wait for.
    import re2

    options = re2.Options()
    options.log_errors = False  # to stderr, into the screen
    options.max_mem = MEMORY
    options.never_capture = not captures
    options.case_sensitive = not ignore_case
    options.dot_nl = dot_all
    return re2.compile(text, options)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


# -- faults ---------------------------------------------------------------------------------------


def _fault(text: str) -> tuple[str, str] | None:
    """RE2's words for what is wrong, and the piece that it names; None if nothing is."""
    import re2

    try:
        _program(text)
    except re2.error as error:
        return _words(error)
    except UnicodeEncodeError as error:
        return "invalid UTF-8", text[error.start : error.end]
    return None


def _words(error: Exception) -> tuple[str, str]:
    said = error.args[0]
    code, _, fragment = (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).partition(": ")
    return code.partition(" - ")[0], fragment


def _error(text: str, code: str, fragment: str) -> ExpressionError:
    sign, place = fragment, 0
    match code:
        case "missing )":
            sign = "("
            what, remedy = "this ( is never closed", "close it, or write \\( for the sign itself"
        case "unexpected )":
            sign = ")"
            what, remedy = "this ) closes nothing", "write \\) for the sign itself"
        case "missing ]":
            what, remedy = "this [ is never closed", "close it, or write \\[ for the sign itself"
        case "trailing \\":
            sign = "\\"
            what, remedy = "nothing follows this \\", "write \\\\ for the sign itself"
        case "no argument for repetition operator":
            what, remedy = f"there is nothing that {fragment} could repeat", "put \\ before a sign that is meant itself"
        case "bad repetition operator":
            what = f"{fragment} repeats what repeats"
            remedy = "leave one out, or put \\ before a sign that is meant itself"
        case "invalid repetition size":
            what, remedy = f"{fragment} is no number of times", "from least to most, and 1000 times at most"
        case "invalid character class range":
            what, remedy = f"there is no class {fragment}", _CLASSES
        case "invalid escape sequence":
            what, remedy = f"there is no {fragment}", _of_escape(fragment)
        case "invalid named capture group":
            what, remedy = f"{fragment} names no group", "write (?P<name>...), the name of letters, digits and _"
        case "invalid perl operator" if fragment.startswith(("(?=", "(?!", "(?<")):
            what = f"no {fragment}: nothing looks {'behind' if '<' in fragment else 'ahead'}"
            remedy = "write apart what must not match"
        case "invalid perl operator":
            what, remedy = f"there is no {_operator(text, fragment)}", _of_operator(text, fragment)
        case "invalid UTF-8":
            what, remedy = "this is no character", "leave it out, or write . for it"
        case _:
            what, remedy = "this expression is too large", "write it shorter, or repeat less"
    if code != "pattern too large":
        place = _place(text, sign)
    return ExpressionError(code, fragment, place, what, remedy)


_CLASSES: Final = "write [a-z], the least first, or [[:alpha:]], \\d, \\pL, \\p{Greek}"
_GROUPS: Final = "write (...), (?:...), (?P<name>...), or a flag: (?i), (?s), (?m)"


def _of_escape(fragment: str) -> str:
    if fragment[1:2].isdigit():
        return "no back-references: write out what comes again"
    if fragment == "\\Z":
        return "the end of the text is \\z"
    return "write \\\\ for the backslash itself; \\x{e9} is a character by its number"


def _operator(text: str, fragment: str) -> str:
    """The operator with the sign that follows: RE2 names no more than `(?P` of `(?P=name)`."""
    at = _place(text, fragment)
    return text[at : at + 4] if fragment == "(?P" and text.startswith("(?P", at) else fragment


def _of_operator(text: str, fragment: str) -> str:
    if _operator(text, fragment) == "(?P=":
        return "no back-references: write out what comes again"
    return _GROUPS


_OPEN: Final = frozenset({"missing )", "missing ]"})


def _place(text: str, sign: str) -> int:
    """Where the fault is: the last of these signs before which the expression is sound. RE2 names the sign alone."""
    if not sign or len(text) > _SEARCHED:
        return 0
    at = text.rfind(sign)
    while at >= 0:
        before = _fault(text[:at])
        if before is None or (sign not in ("(", ")") and before[0] in _OPEN):
            return at
        at = text.rfind(sign, 0, at + len(sign) - 1)
    return 0
