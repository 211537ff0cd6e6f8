"""The terminal lent to a shell on a machine, and taken back when that has ended."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from farmtui.farm.actions import ActionError
from farmtui.shelling import Shell, signals_left_to_it

if TYPE_CHECKING:
    from farmtui.config import SshConfig
    from farmtui.runbooks.remedies import Remedies


async def lend_to_shell(app: App[Any], host: str, ssh: SshConfig, remedies: Remedies) -> None:
    """Polling goes on meanwhile; the newest picture is painted when the terminal is ours again.

    Raises ActionError where there is no ssh, where it cannot be written down, or where the terminal cannot be lent.
    """
    shell = Shell(ssh, host)
    await remedies.shell_opened(host)
    begun, code = monotonic(), -1
    try:
        with app.suspend(), signals_left_to_it():
            print(f"farmtui: ssh {host}; the console comes back when the shell ends", flush=True)
            code = await asyncio.to_thread(shell.run)
    except SuspendNotSupported:
        raise ActionError("this terminal cannot be lent to a shell") from None
    finally:
        await remedies.shell_closed(host, code, monotonic() - begun)
