"""Ceph as its commands and PVE's API tell it, from real answers; and hosts on which a `ceph` stands that tells them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError, safe_words
from farmtui.sources.ssh import OUTPUT_LIMIT_BYTES, Done

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_DATA = Path(__file__).parent / "data" / "ceph"


def sample(name: str) -> dict[str, Any]:
    """What a real cluster answered, by command: `ok`, `osd-down`, `mgr-down`, `laggy`, `backfilling`, ..."""
    answers: dict[str, Any] = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return answers


# -- the ceph command

_CEPH = """#!/bin/sh
# A ceph that answers from files beside it; WORDS.sh is run instead where there is one.
here=${0%/*} words=
echo "$*" >> "$here/asked"
while [ $# -gt 0 ]; do
  case "$1" in
    --conf|--name|--connect-timeout|--admin-daemon|-f) shift ;;
    *) words="$words${words:+_}$1" ;;
  esac
  shift
done
[ -f "$here/$words.sh" ] && exec /bin/sh "$here/$words.sh"
[ -f "$here/$words.json" ] && exec cat "$here/$words.json"
echo "Error EINVAL: invalid command" >&2
exit 22
"""
_CEPH_CONF = """#!/bin/sh
echo "${0%/*}/run/ceph-mon.any.asok"
"""


class CephHost:
    """One host with a `ceph` of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "run").mkdir(parents=True)
        for name, text in (("ceph", _CEPH), ("ceph-conf", _CEPH_CONF)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.down: SourceError | None = None
        """Why it cannot be reached."""

    def tells(self, answers: dict[str, Any]) -> None:
        """Its `ceph` gives these answers, by command, and no others."""
        for path in (*self._folder.glob("*.json"), *self._folder.glob("*.sh")):
            path.unlink()
        for words, answer in answers.items():
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self._file(words, "json").write_text(text)

    def does(self, words: str, script: str) -> None:
        """Its `ceph WORDS` runs this."""
        self._file(words, "sh").write_text(script)

    def hangs(self, *commands: str) -> None:
        """These never end."""
        for words in commands:
            self.does(words, "exec sleep 60")

    def has_mon(self, name: str, status: dict[str, Any] | None) -> None:
        """A mon's admin socket is there; without `status` it cannot be asked."""
        (self._folder / "run" / f"ceph-mon.{name}.asok").touch()
        if status is None:
            self.does("mon_status", "echo 'admin_socket: exception: [Errno 13] Permission denied' >&2; exit 13")
        else:
            self._file("mon_status", "json").write_text(json.dumps(status))

    def lacks(self, program: str) -> None:
        """A program is not installed."""
        (self._folder / program).unlink()

    def has(self, program: str, script: str) -> None:
        """Another program in front of the system's."""
        (self._folder / program).write_text(f"#!/bin/sh\n{script}\n")
        (self._folder / program).chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """The arguments of every `ceph` that was run."""
        path = self._folder / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def forget(self) -> None:
        """Nothing was asked so far."""
        (self._folder / "asked").unlink(missing_ok=True)

    @property
    def path(self) -> str:
        """Where programs are looked for on it."""
        return f"{self._folder}:/usr/bin:/bin"

    def _file(self, words: str, ending: str) -> Path:
        return self._folder / f"{words.replace(' ', '_')}.{ending}"


class Hosts:
    """A Remote whose hosts are folders of this machine: commands are real processes, with what stands there first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.hosts: dict[str, CephHost] = {}
        self.under_way = 0
        self.most_under_way = 0
        self.closed = 0

    def add(self, name: str, answers: dict[str, Any] | None = None) -> CephHost:
        """One more host."""
        host = self.hosts[name] = CephHost(self._folder / name)
        if answers is not None:
            host.tells(answers)
        return host

    async def run(
        self, host: str, argv: Sequence[str], *, deadline_s: float, limit_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Done:
        """Run it here."""
        there = self.hosts[host]
        if there.down is not None:
            raise there.down
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        program = shutil.which(argv[0], path=there.path)
        assert program is not None
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *argv[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "PATH": there.path, "LC_ALL": "C"},
                cwd=self._folder,
            )
            async with asyncio.timeout(deadline_s):
                out, err = await process.communicate()
        finally:
            self.under_way -= 1
        if len(out) > limit_bytes:
            raise SourceError(FailureKind.BAD_ANSWER, f"{host}: the command prints too much", "see what it prints")
        return Done(process.returncode, out, safe_words(err.decode("utf-8", "replace")))

    async def unix_socket(self, host: str, path: str, *, deadline_s: float) -> Path:
        """No source of Ceph needs one."""
        raise NotImplementedError

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


def unreachable(host: str) -> SourceError:
    """What the pool says of a host that is down."""
    return SourceError(FailureKind.UNREACHABLE, f"{host}: no route to the host", "check that the host is up")


# -- PVE's API


def pve_answers(told: dict[str, Any], *, node: str = "pve-1") -> dict[str, Any]:
    """The answers of a PVE node on a cluster, made of Ceph's own as PVE makes them (pve-manager's API2::Ceph)."""
    status = dict(told["status"])
    status["health"] = told["health detail"]
    quorum, mgr = told["quorum_status"], told["mgr stat"]
    mgrs = [name for names in told["node ls"]["mgr"].values() for name in names]
    status["monmap"] = {"epoch": 1, "mons": quorum["monmap"]["mons"], "quorum": quorum["quorum"]}
    status["mgrmap"] = {
        "available": mgr["available"],
        "active_name": mgr["active_name"],
        "standbys": [{"name": name} for name in mgrs if name != mgr["active_name"]],
    }
    base = f"nodes/{node}/ceph"
    places = {kind: _hosts(told["node ls"][kind]) for kind in ("mon", "mgr", "mds")}
    version = {"ceph_version_short": "16.2.15"}
    answers = {
        f"{base}/status": status,
        f"{base}/mon": [{"name": name, "host": host, **version} for name, host in places["mon"].items()],
        f"{base}/mgr": [{"name": name, "host": host, **version} for name, host in places["mgr"].items()],
        f"{base}/mds": _pve_mdss(told, places["mds"], version),
        f"{base}/fs": [{"name": entry["fs"]} for entry in told.get("fs status", {}).get("clients", ())],
    }
    if "osd df" in told:
        answers[f"{base}/osd"] = _pve_osds(told, version)
        answers[f"{base}/pool"] = [
            {
                "pool": pool["id"],
                "pool_name": pool["name"],
                "size": 3,
                "type": "replicated",
                "pg_num": 8,
                "percent_used": pool["stats"]["percent_used"],
                "bytes_used": pool["stats"]["bytes_used"],
            }
            for pool in told["df"]["pools"]
        ]
    return answers


def _hosts(nodes: dict[str, list[str]]) -> dict[str, str]:
    return {name: host for host, names in nodes.items() for name in names}


def _pve_mdss(told: dict[str, Any], hosts: dict[str, str], version: dict[str, str]) -> list[dict[str, Any]]:
    ranks = {mds["name"]: mds["rank"] for mds in told["status"]["fsmap"]["by_rank"]}
    return [
        {
            "name": name,
            "host": host,
            "rank": ranks.get(name, -1),
            # PVE leaves out that one is laggy.
            "state": "up:active" if name in ranks else "up:standby",
            **version,
        }
        for name, host in hosts.items()
    ]


def _pve_osds(told: dict[str, Any], version: dict[str, str]) -> dict[str, Any]:
    used = {node["id"]: node for node in told["osd df"]["nodes"]}
    nodes = {}
    for node in told["osd tree"]["nodes"]:
        nodes[node["id"]] = made = {key: node[key] for key in ("id", "name", "type")}
        made |= {k: node[k] for k in ("status", "crush_weight", "reweight", "device_class") if k in node}
        if node["type"] == "osd":
            made |= {
                "in": int(node["reweight"] > 0),
                "total_space": used[node["id"]]["kb"] * 1024,
                "bytes_used": used[node["id"]]["kb_used"] * 1024,
                "apply_latency_ms": 3,
                "pgs": used[node["id"]]["pgs"],
                **version,
            }
    below = set()
    for node in told["osd tree"]["nodes"]:
        if node.get("children"):
            # As Ceph prints it: what stands first in the list.
            listed = [child for child in nodes if child in node["children"]]
            nodes[node["id"]]["children"] = [nodes[child] for child in listed]
            below.update(node["children"])
    return {"root": {"leaf": 0, "children": [nodes[i] for i in nodes if i not in below]}, "flags": "noout,sortbitwise"}
