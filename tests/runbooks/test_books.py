"""Books: every mistake with its file, line and key; the library; the users' own, and those that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from farmtui.config.parsing import FileError
from farmtui.runbooks.loading import LIBRARY, load_book, shelf

GOOD = """\
title: Restart a thing
risk: 2
inputs:
  node: {type: node, tier: cache}
  nodes: {type: nodes}
  pause: {type: duration, default: 30s, max: 10m}
require:
  - {fresh: [prometheus]}
  - {name: others, promql: 'count(up{instance!="{{ node.address }}"})', is: '>= 2'}
steps:
  - name: Restart it
    ssh: {host: '{{ node.ssh }}', argv: [systemctl, restart, varnish]}
    timeout: 2m
    expect: [{exit: [0, 3]}]
    undo: {ssh: {host: '{{ node.ssh }}', argv: [systemctl, start, varnish]}}
  - name: On all
    ssh: {hosts: nodes, shell: 'echo {{ node }} > /tmp/x', parallel: 3, stop_at: 20%}
  - name: Wait
    wait: {for: 1m}
  - name: Look
    manual: Look at {{ node }}.
verify:
  - {promql: 'up{instance="{{ node.address }}"}', is: '== 1', within: 2m}
"""


def written(folder: Path, text: str, name: str = "book.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_good_book(tmp_path: Path) -> None:
    book = load_book(written(tmp_path, GOOD))
    assert [step.id for step in book.steps] == ["restart-it", "on-all", "wait", "look"]
    assert book.steps[0].timeout == 120.0
    assert book.digest == load_book(written(tmp_path, f"# a remark\n{GOOD}")).digest
    assert book.digest != load_book(written(tmp_path, GOOD.replace("2m", "3m"))).digest


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("risk: 2", "risk: 4", 2, "risk: Input should be 1, 2 or 3"),
        ("risk: 2\n", "", 1, "risk: is missing"),
        ("risk: 2", "risk: 2\nrisk: 1", 3, "risk: given twice"),
        ("title:", "titel:", 1, "titel: is not a key farmtui knows; did you mean title?"),
        ("type: node,", "type: machine,", 4, "inputs.node.type"),
        ("tier: cache", "teir: cache", 4, "inputs.node.teir: is not a key farmtui knows; did you mean tier?"),
        ("timeout: 2m", "timeout: 120", 13, "steps.0.timeout: must be a duration such as 30s"),
        ("timeout: 2m", "timout: 2m", 13, "steps.0.timout: is not a key farmtui knows; did you mean timeout?"),
        ("is: '>= 2'", "is: 'about 2'", 9, "require.1.is: must be a comparison"),
        (", is: '>= 2'", "", 9, "require.1: `promql` and `is` go together"),
        ("wait: {for: 1m}", "wait: {promql: up, is: '== 1'}", 19, "steps.2.wait: `promql` needs `is` and `within`"),
        ("    wait: {for: 1m}\n", "", 18, "steps.2: a step must have exactly one of"),
        ("{{ node.ssh }}', argv: [systemctl, restart", "{{ nodde.ssh }}', argv: [systemctl, restart", 12,
         "steps.0.ssh.host: there is no 'nodde'; there are node, nodes, pause, farm, run, user"),
        ("{{ node.ssh }}', argv: [systemctl, restart", "{{ node.vmid }}', argv: [systemctl, restart", 12,
         "steps.0.ssh.host: a node has no 'vmid'; it has name, ssh, address"),
        ("{{ node }} > /tmp/x", "{% if node %} > /tmp/x", 17, "steps.1.ssh.shell: "),
        ("hosts: nodes", "hosts: node", 17, "steps.1.ssh.hosts: must be the name of an input of type nodes"),
        ("- name: Wait", "- name: restart IT", 10, "steps: two steps are called 'Restart it', or nearly so"),
        ("[{exit: [0, 3]}]", "[{exit: 0, stdout: x}]", 14, "a condition must have exactly one of"),
        ("[{exit: [0, 3]}]", "[{stdout: '('}]", 14, "steps.0.expect.0.stdout: is not a regular expression"),
        ("[{exit: [0, 3]}]", "[{stdout: 'a(?!b)'}]", 14, "no (?!: nothing looks ahead, at character 2; write apart"),
        ("title: Restart a thing", "title: [", 3, "not YAML"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_file_line_and_key(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(FileError) as caught:
        load_book(path)
    assert any(told.startswith(f"{path}:{line}: ") and words in told for told in str(caught.value).splitlines()), str(
        caught.value
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{action: reboot}", "do must have exactly one of droplet, volume; this one has none"),
        ("{droplet: '1', volume: x, action: resize}", "this one has droplet and volume"),
        ("{droplet: '1', action: explode}", "a droplet has no action 'explode'; it has power_on, power_off"),
        ("{volume: x, action: reboot}", "a volume has no action 'reboot'; it has attach, detach, resize"),
        ("{droplet: '1', action: snapshot}", "snapshot of a droplet needs name under `data`"),
        ("{droplet: '{{ node.id }}', action: reboot}", "a node has no 'id'"),
    ],
)
def test_an_action_that_digitalocean_has_not(tmp_path: Path, body: str, words: str) -> None:
    path = written(tmp_path, GOOD.replace("wait: {for: 1m}", f"do: {body}"))
    with pytest.raises(FileError) as caught:
        load_book(path)
    assert f"{path}:19: steps.2" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{url: 'ftp://example.org/'}", "the url must be an http:// or https:// address with a host"),
        ("{url: 'https://'}", "the url must be an http:// or https:// address with a host"),
        ("{url: 'http://example.org/'}", "use https, or say `insecure: true`"),
        ("{url: 'https://user:pw@example.org/'}", "must not hold credentials"),
        ("{url: '{{ node.address }}/x'}", "the url must begin with https:// or http://"),
        ("{url: 'https://{{ node.vmid }}/'}", "steps.2.http.url: a node has no 'vmid'"),
        ("{url: 'https://a/', data: x}", "GET sends nothing: `data` and `json` want another `method`"),
        ("{url: 'https://a/', method: POST, data: x, json: 1}", "give either `data` or `json`, not both"),
        ("{url: 'https://a/', headers: {Authorization: abc}}", "the header Authorization holds a secret"),
        ("{url: 'https://a/', headers: {X-Token: abc}}", "the header X-Token holds a secret"),
        ("{url: 'https://a/', headers: {X Y: abc}}", "steps.2.http.headers"),
        ("{url: 'https://a/', headers: {X-Token: 'env:{{ node }}'}}", "a reference to a secret (env:) is what it is"),
        ("{url: 'https://a/', headers: {X-Token: 'file:token'}}", "a secret's file is given by its whole path"),
        ("{url: 'https://a/', auth: {bearer: 'file:token'}}", "a secret's file is given by its whole path"),
        ("{url: 'https://a/', auth: {bearer: abc}}", "a secret is given by reference"),
        ("{url: 'https://a/', auth: {username: a}}", "username and password go together"),
        (
            "{url: 'https://a/', method: PUT, json: {a: [{b: 'env:A B'}]}}",
            "must be the name of an environment variable",
        ),
        ("{url: 'https://a/', method: PUT, json: {a: [{b: '{{ nodde }}'}]}}", "json.a.0.b: there is no 'nodde'"),
    ],
)
def test_a_request_that_cannot_be(tmp_path: Path, body: str, words: str) -> None:
    path = written(tmp_path, GOOD.replace("wait: {for: 1m}", f"http: {body}"))
    with pytest.raises(FileError) as caught:
        load_book(path)
    assert f"{path}:19: " in str(caught.value)
    assert words in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "{url: 'http://127.0.0.1:8080/x', status: 202}",
        "{url: 'http://[::1]/x', status: [200, 409]}",
        "{url: 'http://example.org/', insecure: true}",
        "{url: 'https://{{ node.address }}:8443/x?a={{ node }}'}",
        "{url: 'env:WEBHOOK', method: POST, json: {text: 'about {{ node }}', token: 'file:~/token'}}",
        "{url: 'https://a/', method: POST, auth: {username: a, password: 'cmd:pass show x'}, data: {a: 1, b: true}}",
    ],
)
def test_a_request_that_can_be(tmp_path: Path, body: str) -> None:
    load_book(written(tmp_path, GOOD.replace("wait: {for: 1m}", f"http: {body}")))


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("risk: 2", "risk: 7").replace("timeout: 2m", "timeout: soon"))
    with pytest.raises(FileError) as caught:
        load_book(path)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("name", ["Book.yaml", "my book.yaml", "-x.yaml"])
def test_a_book_s_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="is named by small letters"):
        load_book(written(tmp_path, GOOD, name))


def test_the_library_s_books_are_all_books() -> None:
    found = shelf([])
    assert found.broken == ()
    assert set(found.books) == {path.stem for path in LIBRARY.glob("*.yaml")}
    assert not any(one.own for one in found.books.values())
    assert all(one.book.about and one.book.alerts is not None for one in found.books.values())


def test_own_books_stand_beside_the_library_s_and_in_their_place_and_broken_ones_say_why(tmp_path: Path) -> None:
    [first, *_] = sorted(LIBRARY.glob("*.yaml"))
    written(tmp_path, GOOD, first.name)
    written(tmp_path, GOOD, "mine.yaml")
    written(tmp_path, "title: x\n", "bad.yaml")
    found = shelf([tmp_path, tmp_path / "not-there"])
    assert found.books[first.stem].replaces
    assert found.books["mine"].own
    assert not found.books["mine"].replaces
    [broken] = found.broken
    assert broken.name == "bad"
    assert "risk: is missing" in broken.why
