"""A shell on a machine: ssh itself, told what the config says of logging in, and nothing else of the console's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from farmtui.config import SshConfig
from farmtui.farm.actions import ActionError

SSH_FAILED: Final = 255
"""ssh's own exit code, where it is not that of what ran."""


def ssh_config(config: SshConfig) -> str:
    """What the config says of logging in, as an ssh_config: of each option the first value that ssh finds counts.

    Unlike options on ssh's command line it counts for the machines that are gone through, too.
    """
    lines = ["Host *", "  StrictHostKeyChecking yes"]
    if config.user is not None:
        lines.append(f"  User {config.user}")
    if config.port is not None:
        lines.append(f"  Port {config.port}")
    if config.known_hosts is not None:
        files = " ".join(map(_quoted, config.known_hosts)) or "none"
        lines += [f"  UserKnownHostsFile {files}", "  GlobalKnownHostsFile none"]
    if config.identity_files is not None:
        lines += ["  IdentitiesOnly yes", *(f"  IdentityFile {_quoted(path)}" for path in config.identity_files)]
    if not config.agent:
        lines.append("  IdentityAgent none")
    lines += [f"  ServerAliveInterval {max(1, round(config.keepalive_s))}", "  ServerAliveCountMax 3"]
    lines.append(f"  ConnectTimeout {max(1, round(config.connect_timeout_s))}")
    own = Path("~/.ssh/config").expanduser()
    included = config.config_files if config.config_files is not None else [own] if own.is_file() else []
    lines += [f"Include {_quoted(path)}" for path in included]
    if config.jump is not None:
        # The last: where ssh_config names a ProxyJump, that one counts.
        lines += [f"Match originalhost *,!{config.jump}", f"  ProxyJump {config.jump}"]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    return f'"{path}"'


class Shell:
    """A shell that was opened on a host."""

    def __init__(self, config: SshConfig, host: str) -> None:
        """Raises ActionError where this machine has no ssh."""
        self._config = config
        self._host = host
        self._ssh = shutil.which("ssh") or ""
        if not self._ssh:
            raise ActionError("there is no ssh on this machine; on Debian and Ubuntu: apt-get install openssh-client")

    def run(self) -> int:
        """Give it the terminal until it ends; gives ssh's exit code. Blocking: not for the event loop."""
        with tempfile.TemporaryDirectory(prefix="farmtui-ssh-") as folder:
            file = Path(folder) / "ssh_config"
            file.write_text(ssh_config(self._config), encoding="utf-8")
            child = subprocess.Popen([self._ssh, "-F", str(file), "--", self._host])  # noqa: S603 - the user's own hosts
            while True:
                _, status = os.waitpid(child.pid, os.WUNTRACED)
                if not os.WIFSTOPPED(status):
                    # It is waited for: that is all that it would be asked for.
                    child.returncode = os.waitstatus_to_exitcode(status)
                    break
                # `~^Z` stops ssh; there is no shell here that would bring it back.
                os.kill(child.pid, signal.SIGCONT)
        if child.returncode == SSH_FAILED:
            # What it said would be gone with the screen.
            with contextlib.suppress(EOFError):
                input(f"ssh {self._host} ended with {SSH_FAILED}. Enter goes back to the console. ")
        return child.returncode


@contextlib.contextmanager
def signals_left_to_it() -> Iterator[None]:
    """What is typed for the shell is not for us: until ssh has logged in, Ctrl+C goes to all on this terminal.

    Handlers, unlike what is ignored, are not passed on to a child. Only for the main thread.
    """

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """The child hears it too."""

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
