"""The scripts that teach a shell to ask for completions: each a file of its shell's own beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script of one of `SHELLS`."""
    return Path(__file__).with_name(f"farmtui.{shell}").read_text(encoding="utf-8")
