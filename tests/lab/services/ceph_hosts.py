"""The hosts of Ceph's monitors as machines to log in to: where the console runs the ceph command."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.lab.service import Service
from tests.lab.services.ceph import Ceph
from tests.lab.services.ssh import SshHosts


class CephHosts(Service):
    """`ceph-1` and `ceph-2`, each with the cluster's ceph.conf and its keyring."""

    name: ClassVar[str] = "ceph_hosts"
    hosts: ClassVar[tuple[str, ...]] = ("ceph-1", "ceph-2")

    def start(self) -> None:
        """Add them to the lab's machines."""
        self.lab.service(Ceph)
        ssh = self.lab.service(SshHosts)
        for host in self.hosts:
            ssh.add(host)

    def stop(self) -> None:
        """They end with the lab's other machines."""

    def config(self) -> dict[str, Any]:
        """Ceph itself, asked every two seconds; and how to log in."""
        return {
            **self.lab.service(SshHosts).config(),
            "ceph": {
                "via": "ssh",
                "hosts": list(self.hosts),
                "conf": str(self.lab.service(Ceph).conf),
                "interval_s": 2,
                "deadline_s": 6,
            },
        }
