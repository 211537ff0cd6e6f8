"""The identity join's laws, over sightings that were chosen to collide."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from farmtui.farm.addresses import host_part, same_name, telling_address, telling_name
from farmtui.farm.identity import CONFIG, DIGITALOCEAN, PROMETHEUS, PROXMOX, Cluster, Declaration, join
from farmtui.farm.node import Sighting

NAMES = ("", "web", "WEB", "web.a.net", "web.b.net", "db", "db.a.net", "localhost", "10.0.0.1", "cache-1")
TELLING = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "203.0.113.9", "fd00::1", "[FD00:0::1]")
UNTELLING = (
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "fe80::1%eth0",
    "169.254.1.1",
    "172.17.0.1",
    "172.18.0.1",
    "0.0.0.0",
    "224.0.0.251",
    "::ffff:127.0.0.1",
)
ADDRESSES = TELLING + UNTELLING


@st.composite
def sightings(draw: st.DrawFn) -> list[Sighting]:
    """Up to four of each source; idents unique within a source, names and addresses shared on purpose."""
    found: list[Sighting] = []
    addresses = st.lists(st.sampled_from(ADDRESSES), max_size=2).map(tuple)
    for source in (PROMETHEUS, PROXMOX, DIGITALOCEAN):
        for number in range(draw(st.integers(0, 4))):
            name = draw(st.sampled_from(NAMES))
            ident = {PROMETHEUS: f"target-{number}:1", PROXMOX: f"main/{number}", DIGITALOCEAN: f"{number}"}[source]
            if source == PROMETHEUS and draw(st.booleans()):
                ident = draw(st.sampled_from([*ADDRESSES, *filter(None, NAMES)]))
                if any(s.ident == ident for s in found):
                    continue
            found.append(Sighting(source, ident, name, draw(addresses)))
    return found


@st.composite
def lines(draw: st.DrawFn) -> list[Declaration]:
    """Config lines that name what may be there, and contradict each other at times."""
    return [
        Declaration(
            name,
            prometheus=tuple(draw(st.lists(st.sampled_from(["target-0:1", "target-1:1", "10.0.0.1"]), max_size=2))),
            pve=draw(st.sampled_from([None, "main/0", "main/1", "other/7"])),
            droplet=draw(st.sampled_from([None, 0, 1, 99])),
            addresses=tuple(draw(st.lists(st.sampled_from(ADDRESSES), max_size=2))),
        )
        for name in draw(st.lists(st.sampled_from(["web", "db", "cache-1", "edge"]), unique=True, max_size=3))
    ]


def parts(clusters: list[Cluster]) -> Counter[frozenset[Sighting]]:
    """Who is with whom."""
    return Counter(frozenset(cluster.sightings) for cluster in clusters)


def together(clusters: list[Cluster], first: Sighting, second: Sighting) -> bool:
    """Whether two sightings are one machine."""
    return any(first in cluster.sightings and second in cluster.sightings for cluster in clusters)


@given(sightings(), lines())
def test_nothing_is_lost_and_nothing_doubled(seen: list[Sighting], config: list[Declaration]) -> None:
    joined = join(seen, config)
    assert Counter(s for c in joined for s in c.sightings) == Counter(seen) + Counter(line.sighting for line in config)
    assert sorted(index for c in joined for index in c.members) == list(range(len(seen)))


@given(sightings(), lines(), st.randoms(use_true_random=False))
def test_order_does_not_matter(seen: list[Sighting], config: list[Declaration], chance: random.Random) -> None:
    expected = [cluster.sightings for cluster in join(seen, config)]
    chance.shuffle(seen)
    chance.shuffle(config)
    assert [cluster.sightings for cluster in join(seen, config)] == expected


@given(sightings(), lines())
def test_a_machine_is_never_two_guests_of_one_provider(seen: list[Sighting], config: list[Declaration]) -> None:
    for cluster in join(seen, config):
        by_source = Counter(sighting.source for sighting in cluster.sightings)
        assert by_source[PROXMOX] <= 1
        assert by_source[DIGITALOCEAN] <= 1
        assert by_source[CONFIG] <= 1
        if not by_source[CONFIG]:
            assert by_source[PROXMOX] + by_source[DIGITALOCEAN] <= 1


@given(sightings(), lines())
def test_a_config_line_always_wins(seen: list[Sighting], config: list[Declaration]) -> None:
    joined = join(seen, config)
    for line in config:
        others = [other for other in config if other is not line]
        for sighting in seen:
            named = (sighting.source == PROMETHEUS and sighting.ident in line.prometheus) or (
                (sighting.source, sighting.ident)
                in {(PROXMOX, line.pve), (DIGITALOCEAN, None if line.droplet is None else str(line.droplet))}
            )
            disputed = any(
                sighting.ident in other.prometheus or sighting.ident in (other.pve, str(other.droplet))
                for other in others
            )
            if named and not disputed:
                assert together(joined, line.sighting, sighting)


@given(sightings())
def test_names_have_no_case(seen: list[Sighting]) -> None:
    shouted = [Sighting(s.source, s.ident, s.name.upper(), s.addresses) for s in seen]
    expected = [sorted((s.source, s.ident) for s in c.sightings) for c in join(seen)]
    assert sorted(expected) == sorted([sorted((s.source, s.ident) for s in c.sightings) for c in join(shouted)])


@given(sightings())
def test_what_has_nothing_that_tells_stays_alone(seen: list[Sighting]) -> None:
    for cluster in join(seen):
        if not cluster.addresses and not cluster.names:
            assert len(cluster.sightings) == 1
        for sighting in cluster.sightings:
            if len(cluster.sightings) > 1:
                assert (
                    telling_name(sighting.name)
                    or any(map(telling_address, (*sighting.addresses, sighting.ident)))
                    or (telling_name(sighting.ident))
                )


@given(sightings())
def test_an_address_of_two_guests_joins_nothing(seen: list[Sighting]) -> None:
    holders: Counter[str] = Counter()
    for sighting in seen:
        if sighting.source != PROMETHEUS:
            holders.update({found for text in sighting.addresses if (found := telling_address(text))})
    shared = {address for address, count in holders.items() if count > 1}
    for cluster in join(seen):
        for sighting in cluster.sightings:
            mine = {found for text in (*sighting.addresses, sighting.ident) if (found := telling_address(text))}
            nameless = not telling_name(sighting.name) and not telling_name(sighting.ident)
            if sighting.source == PROMETHEUS and nameless and mine and mine <= shared:
                assert all(other.source == PROMETHEUS for other in cluster.sightings)


GUEST = Sighting(PROXMOX, "main/101", "web", ("10.0.0.1",))
TWIN = Sighting(PROXMOX, "main/102", "web", ("10.0.0.2",))


def test_by_address_before_name() -> None:
    other = Sighting(PROXMOX, "main/103", "cache-1", ("10.0.0.9",))
    target = Sighting(PROMETHEUS, "10.0.0.1", "cache-1", ("10.0.0.1",))
    joined = join([GUEST, other, target])
    assert together(joined, GUEST, target)
    assert not together(joined, other, target)


def test_by_name_where_no_address_tells() -> None:
    target = Sighting(PROMETHEUS, "172.16.9.9", "WEB", ("172.16.9.9",))
    assert together(join([GUEST, target]), GUEST, target)


def test_twins_stay_two_unless_an_address_tells() -> None:
    nowhere = Sighting(PROMETHEUS, "web", "", ())
    told = Sighting(PROMETHEUS, "10.0.0.2", "web", ("10.0.0.2",))
    joined = join([GUEST, TWIN, nowhere, told])
    assert not together(joined, GUEST, TWIN)
    assert together(joined, TWIN, told)
    assert not together(joined, nowhere, GUEST)
    assert not together(joined, nowhere, TWIN)


def test_a_droplet_and_a_guest_are_two_even_with_all_in_common() -> None:
    droplet = Sighting(DIGITALOCEAN, "7", "web", ("10.0.0.1",))
    assert not together(join([GUEST, droplet]), GUEST, droplet)
    line = Declaration("web", pve="main/101", droplet=7)
    assert together(join([GUEST, droplet], [line]), GUEST, droplet)


def test_a_full_name_is_its_short_name_only_where_that_is_clear() -> None:
    full = Sighting(PROMETHEUS, "web.a.net", "", ())
    assert together(join([GUEST, full]), GUEST, full)
    rival = Sighting(PROMETHEUS, "web.b.net", "", ())
    joined = join([GUEST, full, rival])
    assert len(joined) == 3
    bare = Sighting(PROMETHEUS, "web", "", ())
    at_home = Sighting(PROXMOX, "main/5", "web.a.net", ())
    elsewhere = Sighting(DIGITALOCEAN, "6", "web.b.net", ())
    assert len(join([at_home, elsewhere, bare])) == 3


def test_two_machines_that_call_themselves_debian_are_two() -> None:
    first = Sighting(PROMETHEUS, "10.0.0.1", "debian", ("10.0.0.1",))
    second = Sighting(PROMETHEUS, "10.0.0.2", "debian", ("10.0.0.2",))
    guest = Sighting(PROXMOX, "main/1", "debian", ())
    assert len(join([first, second])) == 2
    assert len(join([first, second, guest])) == 3
    assert together(join([first, guest]), first, guest)


def test_a_floating_address_of_two_hosts_joins_neither() -> None:
    first = Sighting(PROMETHEUS, "mgr-1", "mgr-1", ("10.0.0.1", "10.0.0.100"))
    second = Sighting(PROMETHEUS, "mgr-2", "mgr-2", ("10.0.0.2", "10.0.0.100"))
    probe = Sighting(PROMETHEUS, "10.0.0.100", "", ("10.0.0.100",))
    assert len(join([first, second, probe])) == 3


def test_targets_of_one_host_by_name_and_by_address_are_one() -> None:
    by_name = Sighting(PROMETHEUS, "cache-1", "", ())
    by_address = Sighting(PROMETHEUS, "10.0.0.3", "cache-1.example.net", ("10.0.0.3",))
    assert together(join([by_name, by_address]), by_name, by_address)


def test_localhost_is_every_machine() -> None:
    first = Sighting(PROMETHEUS, "localhost", "localhost", ("127.0.0.1",))
    guest = Sighting(PROXMOX, "main/1", "localhost", ("127.0.0.1", "172.17.0.1"))
    assert len(join([first, guest])) == 2
    line = Declaration("monitor-1", prometheus=("localhost",), pve="main/1")
    assert together(join([first, guest], [line]), first, guest)


def test_a_declared_address_is_the_lines_whoever_else_has_it() -> None:
    target = Sighting(PROMETHEUS, "10.0.0.1", "", ("10.0.0.1",))
    line = Declaration("front", addresses=("10.0.0.1",))
    assert together(join([target, GUEST], [line]), GUEST, target)
    rival = Sighting(PROXMOX, "main/9", "other", ("10.0.0.1",))
    joined = join([target, GUEST, rival], [line])
    assert together(joined, line.sighting, target)
    assert not together(joined, GUEST, rival)


def test_a_line_that_nobody_sights_is_a_machine_all_the_same() -> None:
    line = Declaration("db-4", addresses=("10.9.9.9",))
    assert [cluster.sightings for cluster in join([], [line])] == [(line.sighting,)]


def test_a_chain_of_contradictions_joins_only_what_is_beyond_doubt() -> None:
    bridge = Sighting(PROMETHEUS, "bridge", "", ("10.0.0.1", "10.0.0.2"))
    clear = Sighting(PROMETHEUS, "10.0.0.2", "", ("10.0.0.2",))
    joined = join([GUEST, TWIN, bridge, clear])
    assert not together(joined, GUEST, TWIN)
    assert not together(joined, bridge, GUEST)
    assert not together(joined, bridge, TWIN)
    assert together(joined, clear, TWIN)


def test_host_parts() -> None:
    cases = {
        "10.0.0.4:9100": "10.0.0.4",
        "[fd00::1]:9100": "fd00::1",
        "fd00::1": "fd00::1",
        "Cache-1.Example.net:9131": "cache-1.example.net",
        "http://10.0.0.4:9115/probe": "10.0.0.4",
        "10.0.0.4/24": "10.0.0.4",
        "fe80::1%eth0": "fe80::1",
        "cache-1": "cache-1",
    }
    assert {text: host_part(text) for text in cases} == cases


def test_addresses_that_tell() -> None:
    assert all(telling_address(text) for text in TELLING)
    assert not any(telling_address(text) for text in (*UNTELLING, "", "web", "10.0.0", "10.0.0.999", "1.2.3.x"))
    assert telling_address("[FD00:0::1]:9100") == telling_address("fd00::1")
    assert telling_address("::ffff:10.0.0.1") == "10.0.0.1"
    assert telling_address("172.20.0.5") == "172.20.0.5"


def test_same_name() -> None:
    assert same_name("PVE-1", "pve-1.example.net")
    assert not same_name("pve-1.a.net", "pve-1.b.net")
    assert not same_name("10.0.0.1", "10.0.0.2")
    assert not same_name("localhost", "localhost")
