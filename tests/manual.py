"""The man page, farmtui(1), from the command line's own declarations. `python -m tests.regenerate` writes it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from typer.main import get_command

from farmtui.cli import app

REVISED: Final = "2026-11-29"
"""When what stands here was last gone over: a page of manual has a date, and the same one on each machine."""

EXIT_CODES: Final = (
    ("0", "It went well. The commands that tell a state have codes of their own: see each."),
    ("1", "What was asked for did not end well, or is not all well."),
    ("2", "The command line or the config cannot be used; nothing was done."),
    ("3", "Unknown (status, cost), or somebody is waited for (run, attach)."),
)
FILES: Final = (
    ("./farmtui.yaml", "The config, where there is one in the working folder."),
    ("~/.config/farmtui/config.yaml", "The config of the user."),
    ("~/.config/farmtui/runbooks/", "Runbooks of the user's own, NAME.yaml, beside the library's."),
    ("~/.config/farmtui/themes/", "Themes of the user's own, NAME.yaml."),
    ("~/.local/state/farmtui/journal.db", "The journal of runs, unless journal.url in the config names another."),
    ("~/.local/state/farmtui/farmtui.log", "The log; no secret is in it."),
)
ENVIRONMENT: Final = (
    ("FARMTUI_CONFIG", "The config file, where --config is not given."),
    ("NO_COLOR", "Not empty: no colours; signs and words tell the same."),
    ("FARMTUI_ASCII", "1: lines and signs are drawn in ASCII alone."),
    ("TERM, COLORTERM", "What the terminal can show: 16, 256 or all colours."),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "In place of ~/.config and ~/.local/state."),
    ("SSH_CONNECTION", "From where somebody has logged in; the journal writes it down."),
    ("SSH_AUTH_SOCK", "The agent whose keys are used on the farm's machines."),
)
EXAMPLES: Final = (
    ("farmtui demo --fault osd-down", "Practise on a simulated farm with an OSD down."),
    ("farmtui status --json", "The farm's health, for a script."),
    ("farmtui check", "What of the config does not work, and how to mend it."),
    ("farmtui run varnish-restart node=cache-2 --plan", "What a runbook would do, and what hangs on it."),
)


def page() -> str:
    """docs/farmtui.1, in man(7)'s macros."""
    root = get_command(app)
    name = _first(root.help or "").rstrip(".")
    lines = [
        f'.TH FARMTUI 1 {REVISED} "farmtui {version("farmtui")}" "User Commands"',
        ".\\\" Generated from the command line's declarations: make docs.",
        ".SH NAME",
        f"farmtui \\- {_text(name[:1].lower() + name[1:])}",
        ".SH SYNOPSIS",
        *_usage("farmtui", root),
        ".SH DESCRIPTION",
        *_paragraphs(root.help or ""),
        ".SH OPTIONS",
        *_options(root),
        ".SH COMMANDS",
    ]
    for words, command in commands(root):
        lines += [f".SS {_quoted(' '.join(words))}", *_usage(" ".join(("farmtui", *words)), command)]
        lines += [".PP", *_paragraphs(command.help or ""), *_options(command)]
    lines += [".SH EXIT STATUS", *_entries(EXIT_CODES), ".SH ENVIRONMENT", *_entries(ENVIRONMENT)]
    lines += [".SH FILES", *_entries(FILES), ".SH EXAMPLES", *_entries(EXAMPLES)]
    lines += [
        ".SH SEE ALSO",
        ".BR ssh_config (5)",
        ".PP",
        *_lines("In the console, ? lists every key that does something, and : takes commands."),
    ]
    return "\n".join(lines) + "\n"


def commands(command: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below one that is not hidden and does something by itself, with the words that lead to it."""
    for name, one in command.commands.items():
        if not one.hidden:
            if hasattr(one, "commands"):
                yield from commands(one, *above, name)
            else:
                yield (*above, name), one


def _usage(name: str, command: Any) -> list[str]:
    pieces = [_options_word(command)]
    pieces += [one.metavar or one.name.upper() for one in command.params if one.param_type_name == "argument"]
    if hasattr(command, "commands"):
        pieces.append("[COMMAND ...]")
    return [f".B {_text(name)}", _text(" ".join(filter(None, pieces)))]


def _options_word(command: Any) -> str:
    return "[OPTIONS]" if any(one.param_type_name == "option" for one in command.params) else ""


def _options(command: Any) -> list[str]:
    lines = []
    for one in command.params:
        if one.hidden or (one.param_type_name == "argument" and not one.help):
            continue
        if one.param_type_name == "argument":
            names = f"\\fI{_text(one.metavar or one.name.upper())}\\fR"
        else:
            value = "" if one.is_flag else f" \\fI{_text(one.metavar or 'N')}\\fR"
            names = ", ".join(f"\\fB{_text(name)}\\fR{value}" for name in sorted(one.opts, key=len))
        lines += [".TP", names, *_lines(f"{one.help or ''}{_default(one)}")]
    return lines


def _default(option: Any) -> str:
    default = option.default
    if isinstance(default, bool) or not isinstance(default, int | float | str) or default == "":
        return ""
    return f" Default: {default if isinstance(default, str) else f'{default:g}'}."


def _entries(entries: tuple[tuple[str, str], ...]) -> list[str]:
    return [line for name, words in entries for line in (".TP", f"\\fB{_text(name)}\\fR", *_lines(words))]


def _paragraphs(text: str) -> list[str]:
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return [line for number, part in enumerate(parts) for line in ([".PP"] if number else []) + _lines(part)]


def _lines(text: str) -> list[str]:
    return [_text(line) for line in textwrap.wrap(text, 72, break_on_hyphens=False)]


def _first(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0]


def _text(text: str) -> str:
    """A line of roff: a backslash is one, a hyphen can be copied, and no line begins a request."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe[:1] in (".", "'") else safe


def _quoted(text: str) -> str:
    return f'"{_text(text)}"' if " " in text else _text(text)
