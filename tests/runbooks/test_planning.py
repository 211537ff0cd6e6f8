"""Plans: inputs against the farm, everything rendered, what hangs on the targets, and made again before the run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farmtui.farm.farm import Farm
from farmtui.farm.identity import DIGITALOCEAN, PROXMOX
from farmtui.farm.node import CloudAccount, Droplet, Guest, PveCluster, Sighting
from farmtui.farm.reading import Failure, FailureKind, SourceState
from farmtui.farm.state import Freshness
from farmtui.runbooks.book import Input
from farmtui.runbooks.inputs import InputError, take
from farmtui.runbooks.loading import Shelf, Shelved, load_book, shelf
from farmtui.runbooks.measuring import Measurement
from farmtui.runbooks.planned import Condition, DoCall, HttpCall, Plan, SshCall
from farmtui.runbooks.planning import LOOKS, PlanError, Planner, call_text
from farmtui.secrets import redact
from tests.runbooks.test_books import GOOD, written
from tests.screens.whole import whole_farm

FARM = whole_farm()
INPUTS = {"node": "cache-1", "nodes": "worker-01, worker-02"}


SILENT = SourceState(
    "prometheus", "prometheus", "http://127.0.0.1:9090", 5.0, Freshness.AGEING,
    failure=Failure(FailureKind.TIMEOUT, "no answer in 10 s", "look there"),
)  # fmt: skip


async def held(condition: Condition) -> Measurement:
    return Measurement(True, f"{condition.kind} holds")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path, GOOD, "thing.yaml")
    return tmp_path


async def planned(folder: Path, name: str = "thing", **inputs: str) -> Plan:
    return await Planner(shelf([folder]), held, "anna").plan(name, {**INPUTS, **inputs}, FARM)


async def test_everything_is_rendered(folder: Path) -> None:
    plan = await planned(folder)
    assert plan.targets == ("node:cache-1", "node:worker-01", "node:worker-02")
    assert plan.confirm == "cache-1"
    assert plan.inputs == {**INPUTS, "pause": "30s"}
    assert [step.text for step in plan.steps] == [
        "ssh cache-1: systemctl restart varnish",
        "ssh 2 hosts (worker-01, worker-02): echo cache-1 > /tmp/x",
        "wait 60 s",
        "by hand: Look at cache-1.",
    ]
    assert plan.steps[0].undo_text == "ssh cache-1: systemctl start varnish"
    fanning = plan.steps[1].call
    assert isinstance(fanning, SshCall)
    assert (fanning.hosts, fanning.parallel, fanning.stop_at) == (("worker-01", "worker-02"), 3, 0.2)
    assert [one.value for one in plan.requires] == ["fresh holds", "promql holds"]


async def test_an_action_of_digitalocean_s_is_rendered_with_numbers_as_numbers(tmp_path: Path) -> None:
    book = """\
title: Grow it
risk: 2
inputs: {gb: {type: int}, vol: {type: text, pattern: '.+'}}
steps:
  - name: Grow
    do: {volume: '{{ vol }}', action: resize, data: {size_gigabytes: '{{ gb }}', region: fra1}}
"""
    written(tmp_path, book, "grow.yaml")
    planner = Planner(shelf([tmp_path]), held, "anna")
    [step] = (await planner.plan("grow", {"gb": "50", "vol": "506f-78"}, FARM)).steps
    assert step.call == DoCall(
        what="volume", ident="506f-78", action="resize", data={"size_gigabytes": 50, "region": "fra1"}
    )
    assert step.text == "digitalocean: resize of volume 506f-78 size_gigabytes=50 region=fra1"
    with pytest.raises(PlanError, match="must be a volume's id"):
        await planner.plan("grow", {"gb": "50", "vol": "../droplets"}, FARM)


REQUEST = """\
title: Tell somebody
risk: 1
inputs:
  word: {type: text, pattern: '.*'}
  n: {type: int, default: 3}
steps:
  - name: Tell
    http:
      url: 'https://{{ word }}.example.org/x?q={{ word }}'
      method: POST
      auth: {username: me, password: 'file:~/pw'}
      headers: {X-Token: 'env:TOKEN', X-Word: '{{ word }}'}
      json: {word: '{{ word }}', n: '{{ n }}', deep: [{secret: 'file:/etc/x', said: 'it is {{ word }}'}]}
"""


async def asked(folder: Path, word: str) -> HttpCall:
    written(folder, REQUEST, "tell.yaml")
    plan = await Planner(shelf([folder]), held, "anna").plan("tell", {"word": word}, FARM)
    # As it comes back from the journal, it is the plan that was hashed.
    assert Plan.model_validate_json(plan.model_dump_json()).hash == plan.hash
    call = plan.steps[0].call
    assert isinstance(call, HttpCall)
    return call


async def test_a_request_is_rendered_and_its_secrets_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-value")
    call = await asked(tmp_path, "a")
    assert call.url == "https://a.example.org/x?q=a"
    assert call.headers == {"X-Token": "env:TOKEN", "X-Word": "a"}
    assert call.document == {"word": "a", "n": 3, "deep": [{"secret": "file:/etc/x", "said": "it is a"}]}
    text = call_text(call)
    assert text.startswith('http: POST https://a.example.org/x?q=a auth=me, file:~/pw headers={"X-Token": "env:TOKEN"')
    # What the journal keeps of it is what was hashed: it is made again before the run, and compared.
    assert redact(text) == text


@pytest.mark.parametrize("word", ['a"b', "a/../b", "{{ n }}", "a&b=c", "a b", "é", "'; --"])
async def test_no_value_gets_out_of_its_place_in_a_request(tmp_path: Path, word: str) -> None:
    call = await asked(tmp_path, word)
    parts = urlsplit(call.url)
    assert (parts.path, parse_qs(parts.query)) == ("/x", {"q": [word]})
    assert call.document["word"] == word
    assert call.document["deep"][0]["said"] == f"it is {word}"


@pytest.mark.parametrize("word", ["env:HOME", "file:/etc/passwd", "cmd:touch /x"])
async def test_no_value_becomes_a_reference_to_a_secret(tmp_path: Path, word: str) -> None:
    with pytest.raises(PlanError, match="must not make a reference to a secret"):
        await asked(tmp_path, word)


async def test_what_looks_like_a_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="looks like a secret") as caught:
        await asked(tmp_path, "password=hunter22")
    assert "hunter22" not in str(caught.value)


async def test_a_plain_address_that_only_the_plan_knows(tmp_path: Path) -> None:
    text = REQUEST.replace("https://{{ word }}.example.org", "http://{{ word }}")
    written(tmp_path, text, "tell.yaml")
    planner = Planner(shelf([tmp_path]), held, "anna")
    assert (await planner.plan("tell", {"word": "localhost"}, FARM)).steps
    with pytest.raises(PlanError, match="is plain http"):
        await planner.plan("tell", {"word": "example.org"}, FARM)


async def test_what_hangs_on_the_targets_is_told(folder: Path) -> None:
    told = {one.what: one for one in (await planned(folder)).blast}
    assert told["cache tier"].text == "2 of 3 go on serving"
    assert told["app tier"].text == "18 of 20 go on serving"
    database = {one.what: one for one in (await planned(folder, nodes="db-1,db-2")).blast}
    assert database["galera quorum"].text == "lost: 1 stay, 2 are needed"
    assert database["galera quorum"].severity == "critical"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"node": "cache-9"}, "node: there is no node of tier cache 'cache-9' in the farm; did you mean cache-"),
        ({"node": "db-1"}, "node: there is no node of tier cache 'db-1' in the farm"),
        ({"node": ""}, "node: there is no node of tier cache '' in the farm; possible: cache-1, cache-2, cache-3"),
        ({"nodes": " , "}, "nodes: names no node"),
        ({"nodes": "worker-01,worker-99"}, "nodes: there is no node 'worker-99' in the farm"),
        ({"pause": "soon"}, "pause: must be a duration such as 30s or 5m"),
        ({"pause": "11m"}, "pause: must be within … to 10m"),
        ({"colour": "red"}, "colour: there is no such input; there are node, nodes, pause"),
    ],
)
async def test_inputs_that_do_not_fit_the_farm(folder: Path, inputs: dict[str, str], words: str) -> None:
    with pytest.raises(PlanError) as caught:
        await Planner(shelf([folder]), held, "anna").plan("thing", {**INPUTS, **inputs}, FARM)
    assert words in str(caught.value)


async def test_what_is_missing_is_asked_for(folder: Path) -> None:
    with pytest.raises(PlanError) as caught:
        await Planner(shelf([folder]), held, "anna").plan("thing", {}, FARM)
    assert str(caught.value).splitlines()[0] == "node: is missing; possible: cache-1, cache-2, cache-3"


async def test_a_broken_book_says_why_and_an_unknown_one_where_to_look(folder: Path) -> None:
    written(folder, "title: x\n", "bad.yaml")
    with pytest.raises(PlanError, match="risk: is missing"):
        await planned(folder, name="bad")
    with pytest.raises(PlanError, match="farmtui runbooks list"):
        await planned(folder, name="nothing")


async def test_made_again_it_is_the_same_or_the_run_is_refused(folder: Path) -> None:
    plan = await planned(folder)
    same = await Planner(shelf([folder]), held, "anna").resolve(plan, FARM)
    assert same.problems == ()
    written(folder, GOOD.replace("restart, varnish", "stop, varnish"), "thing.yaml")
    other = await Planner(shelf([folder]), held, "anna").resolve(plan, FARM)
    assert other.problems[0].startswith("it is not the plan that was shown any more: the book")
    written(folder, GOOD, "thing.yaml")
    fewer = dataclasses.replace(
        FARM, nodes=tuple(dataclasses.replace(n, serving=n.name != "cache-3") for n in FARM.nodes)
    )
    changed = await Planner(shelf([folder]), held, "anna").resolve(plan, fewer)
    assert changed.problems[0].endswith(
        "what hangs on them: cache tier 2 of 3 go on serving before, cache tier 1 of 3 go on serving now"
    )
    gone = dataclasses.replace(FARM, nodes=tuple(n for n in FARM.nodes if n.name != "cache-1"))
    lost = await Planner(shelf([folder]), held, "anna").resolve(plan, gone)
    assert lost.problems[0].startswith("it cannot be planned any more: node: there is no node")


async def test_a_farm_that_was_not_seen_whole_is_looked_at_again(folder: Path) -> None:
    plan = await planned(folder)
    blind = dataclasses.replace(
        FARM,
        nodes=tuple(dataclasses.replace(n, serving=n.name != "cache-3") for n in FARM.nodes),
        sources=(SILENT,),
    )
    for pictures, looks, problems in (([FARM], 1, 0), ([blind, FARM], 2, 0), ([blind], LOOKS, 2)):
        anews: list[bool] = []

        async def look(anew: bool, pictures: list[Farm] = pictures, anews: list[bool] = anews) -> Farm:
            anews.append(anew)
            return pictures[min(len(anews), len(pictures)) - 1]

        resolution = await Planner(shelf([folder]), held, "anna").resolve_seen(plan, look)
        assert anews == [False, *[True] * (looks - 1)]
        assert len(resolution.problems) == problems
    assert resolution.problems[1] == "after 3 looks the farm is not seen whole: prometheus: no answer in 10 s"


async def test_a_silent_source_that_the_plan_does_not_need_stands_in_no_way(folder: Path) -> None:
    silent = dataclasses.replace(FARM, sources=(SILENT,))

    async def look(anew: bool) -> Farm:
        assert not anew
        return silent

    plan = await planned(folder)
    assert (await Planner(shelf([folder]), held, "anna").resolve_seen(plan, look)).problems == ()


async def test_what_is_required_must_hold_when_it_starts(folder: Path) -> None:
    async def failing(condition: Condition) -> Measurement:
        return Measurement(condition.kind != "fresh", "prometheus is stale" if condition.kind == "fresh" else "ok")

    plan = await planned(folder)
    resolution = await Planner(shelf([folder]), failing, "anna").resolve(plan, FARM)
    assert resolution.problems == ("required: prometheus is stale",)


INJECTING = """\
title: Try
risk: 1
inputs:
  word: {type: text, pattern: '(.|\\n)*'}
steps:
  - {name: argv, ssh: {host: plain, argv: [echo, '{{ word }}', 'x{{ word }}']}}
  - {name: shell, ssh: {host: plain, shell: 'echo {{ word }}'}}
  - {name: here, local: {argv: [echo, '{{ word }}']}}
"""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(word=st.text(max_size=60))
async def test_no_input_becomes_more_than_the_word_that_it_is(tmp_path: Path, word: str) -> None:
    import shlex

    written(tmp_path, INJECTING, "try.yaml")
    path = tmp_path / "try.yaml"
    books = Shelf({"try": Shelved("try", load_book(path), path, own=True)})
    try:
        plan = await Planner(books, held, "anna").plan("try", {"word": word}, FARM)
    except PlanError:
        assert not word.strip().isprintable(), "only what cannot be printed is refused"
        return
    word = word.strip()
    argv, shell, here = (step.call for step in plan.steps)
    assert argv.argv == ("echo", word, f"x{word}")  # type: ignore[union-attr]
    assert shlex.split(shell.shell) == ["echo", word]  # type: ignore[union-attr]
    assert here.argv == ("echo", word)  # type: ignore[union-attr]


def test_all_nodes_of_a_tier_are_given_by_one_word_and_those_of_the_farm_are_not() -> None:
    of_tier, of_any = Input(type="nodes", tier="cache"), Input(type="nodes")
    assert take({"nodes": of_tier}, {"nodes": "all"}, FARM).targets == ("node:cache-1", "node:cache-2", "node:cache-3")
    with pytest.raises(InputError, match="there is no node 'all' in the farm"):
        take({"nodes": of_any}, {"nodes": "all"}, FARM)


def test_what_a_template_may_ask_of_a_site_a_guest_a_droplet_and_a_host() -> None:
    site = take({"site": Input(type="site")}, {"site": "www.example.org"}, FARM)
    assert (str(site.values["site"]), site.values["site"]["slug"]) == ("www.example.org", "www-example-org")
    assert site.targets == ("site:www.example.org",)
    guest, (first, second, *rest) = Guest("main", 101, "web", "qemu", "pve-1", "stopped"), FARM.nodes
    droplet = Droplet(7, "edge", "off", "fra1", "s", None, 1, 1e9, 1e9)
    farm = dataclasses.replace(
        FARM,
        pve=(PveCluster("main", quorate=True, guests=(guest,)),),
        cloud=CloudAccount((droplet,)),
        nodes=(
            dataclasses.replace(first, sightings=(Sighting(PROXMOX, guest.ident),)),
            dataclasses.replace(second, sightings=(Sighting(DIGITALOCEAN, droplet.ident),)),
            *rest,
        ),
    )
    for kind, name, node in (("guest", guest.name, first), ("droplet", droplet.name, second)):
        value = take({"it": Input.model_validate({"type": kind})}, {"it": name}, farm).values["it"]
        assert value["address"] == node.addresses[0] != ""
    assert take({"it": Input(type="node")}, {"it": first.name}, farm).values["it"]["cluster"] == guest.cluster
