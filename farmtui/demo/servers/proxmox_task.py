"""One task of Proxmox VE, and how it is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farmtui.demo.servers.proxmox_state import Json


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are Unix seconds; `exit_status` is what it says at its end."""

    upid: str
    node: str
    kind: str
    ident: str
    user: str
    started: float
    ends: float
    exit_status: str
    lines: Sequence[str]

    def json(self, now: float) -> Json:
        """As `status` shows it."""
        _, _, pid, start, *_ = self.upid.split(":")
        shown: Json = {
            "upid": self.upid,
            "node": self.node,
            "type": self.kind,
            "id": self.ident,
            "user": self.user,
            "pid": int(pid, 16),
            "pstart": int(start, 16),
            "starttime": int(self.started),
            "status": "running" if now < self.ends else "stopped",
        }
        return shown if now < self.ends else {**shown, "exitstatus": self.exit_status}

    def listed(self, now: float) -> Json:
        """As a list of tasks shows it."""
        shown = self.json(now)
        del shown["status"]
        exit_status = shown.pop("exitstatus", None)
        return shown if exit_status is None else {**shown, "status": exit_status, "endtime": int(self.ends)}


def upid_of(node: str, number: int, at: float, kind: str, ident: str, user: str) -> str:
    """A task's name: its host, its process, when that began, and what it is about."""
    return f"UPID:{node}:{4_096 + number:08X}:{number:08X}:{int(at):08X}:{kind}:{ident}:{user}:"
