"""`farmtui check` logs in to every host that a source may ask, not only to the first of those that answer."""

from __future__ import annotations

from pathlib import Path

import yaml

from farmtui.check import EXIT_PARTIAL, HostReport, Outcome, Report, SourceReport, document, text, tried
from farmtui.config import Config, load_config
from tests.sources.ssh_server import FakeHost


def configured(host: FakeHost, path: Path) -> Config:
    """Sections that share a host on which all is well, and one at which nobody answers; written to `path`."""
    sections = {
        "ssh": host.config().model_dump(mode="json", exclude_unset=True),
        "swarm": {"hosts": ["box", "gone"], "via": "cli"},
        "gluster": [{"hosts": ["gone", "box"]}],
    }
    path.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return load_config(path)


async def test_every_host_is_tried_and_named_with_who_wants_it(host: FakeHost, tmp_path: Path) -> None:
    path = tmp_path / "farmtui.yaml"
    report = await tried(configured(host, path), path)
    assert [(one.host, one.sections, one.outcome) for one in report.hosts] == [
        ("box", ("swarm", "gluster"), Outcome.OK),
        ("gone", ("swarm", "gluster"), Outcome.FAILED),
    ]
    gone = report.hosts[1]
    assert gone.what.startswith("gone: ")
    told = text(report)
    assert "SSH logins" in told
    assert "for swarm, gluster" in told
    assert f"→ {gone.remedy.split()[0]}" in told
    assert [one["outcome"] for one in document(report)["hosts"]] == ["ok", "failed"]


def test_a_login_that_fails_is_no_success_though_the_source_has_another_host() -> None:
    source = SourceReport("swarm", "swarm", "box", Outcome.OK, 0.1)
    gone = HostReport("gone", ("swarm",), Outcome.FAILED, 0.1, "gone: nobody listens", "start sshd")
    assert Report(Path("farmtui.yaml"), (), (source,), (gone,)).exit_code == EXIT_PARTIAL
