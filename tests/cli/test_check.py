"""`farmtui check`: each way in which a secret, a source or a query can be wrong, told apart and with its remedy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from farmtui.config import Config, Section, parse_config, section_in
from farmtui.config.text import secret_references
from tests.cli.run import farmtui
from tests.cli.servers import Answer, serving, told, vector

METRICS = ["up", "node_load1", "traefik_entrypoint_requests_total", "varnish_main_cache_hit", "varnish_main_cache_miss"]


def prometheus(path: str, parameters: dict[str, str]) -> Answer:
    """A server that knows `up`; its other metrics exist without series; one query it refuses, one it answers badly."""
    if path.endswith("/query"):
        query = parameters["query"]
        if query == "up":
            return vector(({"instance": "10.0.0.1:9100", "job": "node"}, 1.0), at=time.time())
        if query == "refuse(me":
            return told(None, "error", errorType="bad_data", error="parse error: unclosed left parenthesis")
        if query == "garble":
            return 200, b'{"status":"succ'
        return vector(at=time.time())
    if path.endswith("/query_range"):
        return told({"resultType": "matrix", "result": []})
    if path.endswith("/label/__name__/values"):
        return told(METRICS)
    if path.endswith("/targets"):
        return told({"activeTargets": []})
    if path.endswith("/rules"):
        return told({"groups": []})
    return 404, b"not found"


def alertmanager(path: str, parameters: dict[str, str]) -> Answer:
    """An Alertmanager without alerts."""
    if path.endswith("/status"):
        return 200, json.dumps(
            {"versionInfo": {"version": "0.25"}, "cluster": {"status": "ready", "peers": []}}
        ).encode()
    return 200, b"[]"


def forbidding(path: str, parameters: dict[str, str]) -> Answer:
    """A server that lets nobody in."""
    return 401, b'{"message": "who are you?"}'


@pytest.fixture
def addresses() -> Iterator[Callable[..., str]]:
    """Starts servers that live as long as the test; gives their addresses."""
    open_ones: list[Any] = []

    def start(answer: Callable[[str, dict[str, str]], Answer]) -> str:
        server = serving(answer)
        address = server.__enter__()
        open_ones.append(server)
        return address

    yield start
    for server in open_ones:
        server.__exit__(None, None, None)


def checked(home: Path, text: str, **environ: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document of a check of this config."""
    (home / "farmtui.yaml").write_text(text)
    done = farmtui("check", "--json", home=home, environ=environ)
    assert done.err == ""
    document: dict[str, Any] = json.loads(done.out)
    assert document["exit_code"] == done.code
    return done.code, document


def test_every_way_in_which_a_query_can_go(addresses: Callable[..., str], tmp_path: Path) -> None:
    code, document = checked(
        tmp_path,
        f"""
prometheus:
  url: {addresses(prometheus)}
  queries: {{node.cpu_ratio: "refuse(me", node.load1: garble, node.uptime_s: ""}}
""",
    )
    assert code == 1
    source = document["sources"][0]
    figures = {figure["name"]: figure for figure in source["figures"]}
    assert figures["up"]["status"] == "ok"
    assert figures["up"]["series"] == 1
    assert figures["edge.requests_per_s"]["status"] == "empty"
    assert figures["node.memory_ratio"]["status"] == "missing metric"
    assert "node_memory_MemAvailable_bytes" in figures["node.memory_ratio"]["detail"]
    assert "prometheus.queries.node.memory_ratio" in figures["node.memory_ratio"]["remedy"]
    assert figures["node.cpu_ratio"]["status"] == "refused"
    assert "unclosed left parenthesis" in figures["node.cpu_ratio"]["detail"]
    assert figures["node.load1"]["status"] == "failed"
    assert figures["node.uptime_s"]["status"] == "off"


def test_the_page_for_people(addresses: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "farmtui.yaml").write_text(
        f"prometheus:\n  url: {addresses(prometheus)}\n  queries: {{node.cpu_ratio: 'refuse(me'}}\n"
    )
    done = farmtui("check", home=tmp_path, environ={"PYTHONIOENCODING": "ascii"})
    assert done.code == 1
    assert "refused  node.cpu_ratio: CPU busy" in done.out
    assert "-> mend prometheus.queries.node.cpu_ratio" in done.out
    assert "absent   ceph: none of its" in done.out
    assert "\x1b" not in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80


def test_sources_that_fail_refuse_or_lack_a_part(addresses: Callable[..., str], tmp_path: Path) -> None:
    down = "http://127.0.0.1:1"
    code, document = checked(
        tmp_path, f"prometheus: {{url: '{down}'}}\nalertmanager: {{urls: ['{addresses(forbidding)}']}}\n"
    )
    assert code == 2
    outcomes = {source["name"]: source for source in document["sources"]}
    assert outcomes["prometheus"]["outcome"] == "failed"
    assert outcomes["prometheus"]["remedy"]
    assert outcomes["prometheus"]["figures"] == []
    assert outcomes["alertmanager"]["outcome"] == "refused"
    assert "401" in outcomes["alertmanager"]["what"]

    code, document = checked(tmp_path, f"alertmanager: {{urls: ['{addresses(alertmanager)}', '{down}']}}\n")
    assert (code, document["sources"][0]["outcome"]) == (1, "partial")
    assert "127.0.0.1:1" in document["sources"][0]["warnings"][0]


WAYS_TO_CEPH = {
    "ssh": "ssh: {port: 1, config_files: [], agent: false}\nceph: {via: ssh, hosts: [127.0.0.1]}\n",
    "pve": "proxmox:\n  - {name: main, hosts: ['127.0.0.1:1'], token_id: 'a@pve!b', token_secret: 'env:T'}\nceph: {}\n",
}


@pytest.mark.parametrize("way", WAYS_TO_CEPH)
def test_ceph_itself_is_a_source_by_either_way(way: str, tmp_path: Path) -> None:
    code, document = checked(tmp_path, WAYS_TO_CEPH[way], T="x")
    assert code == 2
    [ceph] = [source for source in document["sources"] if source["kind"] == "ceph"]
    assert (ceph["name"], ceph["outcome"]) == ("ceph", "failed")
    assert "127.0.0.1" in ceph["what"]
    assert "connection refused" in ceph["what"]
    assert ceph["remedy"]
    done = farmtui("status", "--json", home=tmp_path, environ={"T": "x"})
    assert done.code == 3
    [source] = [source for source in json.loads(done.out)["sources"] if source["kind"] == "ceph"]
    assert (source["freshness"], source["failure"]["kind"]) == ("never", "unreachable")


def test_all_is_well(addresses: Callable[..., str], tmp_path: Path) -> None:
    code, document = checked(tmp_path, f"alertmanager: {{urls: ['{addresses(alertmanager)}']}}\n")
    assert (code, document["sources"][0]["outcome"]) == (0, "ok")


def test_nothing_configured_is_not_well(tmp_path: Path) -> None:
    assert checked(tmp_path, "farm: {name: x}\n")[0] == 2
    assert "no source is configured" in farmtui("check", home=tmp_path).out


def test_secrets_are_resolved_and_never_printed(addresses: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2hunter2\n")
    text = f"""\
alertmanager:
  urls: ["{addresses(alertmanager)}"]
  auth:
    username: farmtui
    password: file:password
  headers:
    X-Scope-OrgID: shop
    X-Key: env:FARM_KEY
"""
    code, document = checked(tmp_path, text)
    assert code == 2
    secrets = {secret["key"]: secret for secret in document["secrets"]}
    assert secrets["alertmanager.auth.password"]["outcome"] == "ok"
    assert secrets["alertmanager.auth.password"]["reference"] == f"file:{tmp_path / 'password'}"
    assert secrets["alertmanager.headers.X-Key"]["line"] == 8
    assert "FARM_KEY is not set" in secrets["alertmanager.headers.X-Key"]["problem"]

    code, document = checked(tmp_path, text, FARM_KEY="swordfish-swordfish")
    assert code == 0
    for command in (("check",), ("check", "--json")):
        done = farmtui(*command, home=tmp_path, environ={"FARM_KEY": "swordfish-swordfish"})
        assert "hunter2" not in done.out + done.err
        assert "swordfish" not in done.out + done.err


def test_no_kind_of_secret_is_forgotten() -> None:
    def places(section: type[Section], at: tuple[str, ...] = ()) -> Iterator[str]:
        for name, field in section.model_fields.items():
            inner = section_in(field.annotation)
            if inner is not None:
                yield from places(inner, (*at, name))
            elif "_secret_reference" in f"{field.annotation!r} {field.metadata!r}" or name == "headers":
                yield ".".join((*at, name))

    config = parse_config(
        """
prometheus: {url: 'http://p', auth: {bearer: 'env:A'}, headers: {X: 'env:B', Y: plain}}
alertmanager: {urls: ['http://a'], auth: {username: u, password: 'env:C'}, headers: {X: 'cmd:d'}}
proxmox: [{name: a, hosts: [h], token_id: 'a@b!c', token_secret: 'env:E'}]
digitalocean: {token: 'env:F'}
backups: {stores: [{name: s, endpoint: 'https://s', bucket: bkt, access_key: 'env:G', secret_key: 'env:H'}]}
""",
        Path("farmtui.yaml"),
    )
    found = {".".join(str(key) for key in keys) for keys, _ in secret_references(config)}
    assert found == {
        "prometheus.auth.bearer",
        "prometheus.headers.X",
        "alertmanager.auth.password",
        "alertmanager.headers.X",
        "proxmox.0.token_secret",
        "digitalocean.token",
        "backups.stores.0.access_key",
        "backups.stores.0.secret_key",
    }
    kinds = set(places(Config))
    assert {place.removesuffix(".X").replace(".0", "") for place in found} <= kinds
    missing = kinds - {place.removesuffix(".X").replace(".0", "") for place in found}
    assert missing == {"prometheus.auth.password", "alertmanager.auth.bearer"}, "the other way to log in"
