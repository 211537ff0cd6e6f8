"""systemctl, journalctl, varnishadm, redis-cli and mariadb on the simulated machines: what they tell and change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farmtui.config import VarnishConfig
from farmtui.demo.world.changes import HostOff, MachineOff, RedisPressure
from farmtui.demo.world.inventory import GIB
from farmtui.sources.varnish import VarnishSource
from tests.demo.machines import Machines, machines

UNITS = {
    "cache-1": ("varnish", "varnishd", "redis-server", "prometheus-node-exporter", "chrony"),
    "db-1": ("mariadb", "mysql"),
    "stor-1": ("ceph-osd@0", "ceph-osd@3", "ceph-mon@stor-1", "ceph-mgr@stor-1", "ceph-mds@stor-1"),
    "mgr-1": ("docker", "wg-quick@wg0"),
    "worker-01": ("docker",),
    "mon-1": ("prometheus", "prometheus-alertmanager"),
    "pve-1": ("pvedaemon", "prometheus-node-exporter"),
}


@pytest.mark.parametrize("host", sorted(UNITS))
async def test_a_machine_s_units_run_and_are_restarted(host: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        for unit in UNITS[host]:
            assert await farm.told(host, f"systemctl is-active {unit}") == "active\n"
            assert "Active: active (running)" in await farm.told(host, f"systemctl status {unit}.service")
            await farm.told(host, f"sudo -n systemctl restart {unit}")
            assert await farm.told(host, f"systemctl is-active {unit}") == "active\n"
        assert (await farm.do(host, "systemctl is-active ceph-osd@11")).exit_status == 4


@pytest.mark.parametrize(
    ("host", "unit"),
    [
        ("cache-2", "varnish"),
        ("cache-2", "redis-server"),
        ("db-2", "mariadb"),
        ("stor-2", "ceph-osd@6"),
        ("worker-03", "docker"),
        ("cache-2", "chrony"),
    ],
)
async def test_what_is_stopped_stays_so_until_it_is_started(host: str, unit: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.told(host, f"systemctl stop {unit}")
        done = await farm.do(host, f"systemctl is-active {unit}")
        assert (done.exit_status, done.stdout.strip() in (b"inactive", b"failed")) == (3, True)
        assert (await farm.do(host, f"systemctl status {unit}")).exit_status == 3
        assert (await farm.do(host, f"systemctl try-restart {unit}")).exit_status == 0
        assert (await farm.do(host, f"systemctl is-active -q {unit}")).exit_status == 3
        await farm.told(host, f"systemctl start {unit}")
        assert await farm.told(host, f"systemctl is-active {unit}") == "active\n"


async def test_a_restarted_cache_is_empty_and_a_started_one_stays_as_it_is(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        before = farm.now.varnish["cache-1"].started
        await farm.told("cache-1", "systemctl start varnish")
        assert farm.now.varnish["cache-1"].started == before
        await farm.told("cache-1", "systemctl restart varnish")
        assert farm.now.varnish["cache-1"].started == farm.farm.clock.at
        assert farm.now.varnish["cache-1"].fill.value(farm.farm.clock.at) == 0.0


async def test_the_journal_tells_of_a_unit(tmp_path: Path) -> None:
    async with machines(tmp_path, "galera-node-lost") as farm:
        assert len((await farm.told("db-1", "journalctl -u mariadb -n 2")).splitlines()) == 2
        assert "signal 9" in await farm.told("db-2", "journalctl -u mariadb.service -n 20 --no-pager")
        assert await farm.told("db-1", "journalctl -u nonsense -n 5") == "-- No entries --\n"
        assert (await farm.do("db-1", "journalctl -u mariadb -n x")).exit_status == 1


async def test_figures_of_a_machine_are_its_exporter_s(tmp_path: Path) -> None:
    async with machines(tmp_path, "disk-filling") as farm:
        used = int((await farm.told("db-1", "df -P /")).splitlines()[1].split()[4].removesuffix("%"))
        assert used > 85
        assert "load average: " in await farm.told("db-1", "uptime")
        assert float((await farm.told("db-1", "cat /proc/uptime")).split()[0]) > 9 * 86_400


# -- Varnish


async def test_varnish_tells_of_its_backends_as_the_console_reads_it(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.happen(MachineOff("worker-07"))
        config = VarnishConfig.model_validate({"hosts": [{"host": "cache-1"}, {"host": "cache-2"}]})
        reading = await VarnishSource(config, farm.pool, clock=farm.farm.clock.moment).poll()
        assert reading.failure is None
        assert reading.value is not None
        assert [node.host for node in reading.value] == ["cache-1", "cache-2"]
        assert {b.name for b in reading.value[0].backends if b.healthy is False} == {"worker_07"}
        assert "sick" in await farm.told("cache-1", "varnishadm backend.list")
        assert (await farm.told("cache-1", "varnishadm ping")).startswith("PONG ")
        assert await farm.told("cache-1", "varnishadm status") == "Child in state running\n\n"


async def test_a_ban_has_a_cache_forget_a_site_for_a_while(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        busiest, quietest = farm.farm.running.farm.sites[0], farm.farm.running.farm.sites[-1]

        async def after(expression: str) -> float:
            before = farm.now.varnish["cache-1"].miss.value(farm.farm.clock.at)
            await farm.told("cache-1", f"varnishadm ban '{expression}'")
            return farm.now.varnish["cache-1"].miss.value(farm.farm.clock.at) - before

        few = await after(f"req.http.host == {quietest}")
        some = await after(f"req.http.host == {busiest} && req.url ~ ^/shop/")
        many = await after(f"obj.http.x-host ~ ^{busiest}$")
        everything = await after("req.url ~ .")
        assert 0 < few < some < many < everything
        assert quietest in await farm.told("cache-1", "varnishadm ban.list")
        assert (await farm.json("cache-1", "varnishadm ban.list -j"))[3]["spec"] == "req.url ~ ."
        await farm.pass_time(3_600.0)
        assert farm.now.varnish["cache-1"].miss.value(farm.farm.clock.at) < 0.1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ban nonsense == x", "106"),
        ("ban req.url", "104"),
        ("ban req.url % x", "106"),
        ("ban req.http.host ~ '[' ", "106"),
        ("ban req.url ~ x or req.url ~ y", "106"),
        ("vcl.use nonsense", "106"),
        ("nonsense", "101"),
        ("start", "300"),
    ],
)
async def test_varnish_refuses_what_it_does_not_know(words: str, error: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert await farm.refused("cache-1", f"varnishadm {words}") == (1, f"Command failed with error code {error}")


async def test_without_varnish_there_is_nobody_to_ask(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.told("cache-1", "systemctl stop varnish")
        assert await farm.refused("cache-1", "varnishadm ping") == (1, "Could not get hold of varnishd, is it running?")
        await farm.told("cache-1", "varnishadm start")
        assert farm.now.varnish["cache-1"].running


# -- Redis


async def _figure(farm: Machines, query: str) -> float:
    answer = await farm.farm.prometheus.get("/api/v1/query", ("query", query))
    return float(answer["data"]["result"][0]["value"][1])


async def test_a_redis_is_flushed_and_fills_again(tmp_path: Path) -> None:
    async with machines(tmp_path, "redis-pressure") as farm:
        used = 'redis_memory_used_bytes{node="cache-1"}'
        assert await _figure(farm, used) > 0.98 * 4 * GIB
        assert await farm.told("cache-1", "redis-cli -n 0 FLUSHDB") == "OK\n"
        assert int(await farm.told("cache-1", "redis-cli dbsize")) < 50_000
        await farm.pass_time(60.0)
        assert await _figure(farm, used) < 0.2 * 4 * GIB
        await farm.pass_time(4 * 3_600.0)
        assert await _figure(farm, used) > 0.6 * 4 * GIB


async def test_a_redis_s_limit_is_raised_and_lowered(tmp_path: Path) -> None:
    async with machines(tmp_path, "redis-pressure") as farm:
        assert await farm.told("cache-1", "redis-cli config get maxmemory") == f"maxmemory\n{4 * 2**30}\n"
        assert await farm.told("cache-1", "redis-cli config set maxmemory 6gb") == "OK\n"
        assert "cache-1" not in farm.now.redis_full
        await farm.pass_time(30.0)
        assert await _figure(farm, 'redis_memory_max_bytes{node="cache-1"}') == 6 * GIB
        assert await _figure(farm, 'redis_memory_used_bytes{node="cache-1"}') > 3.8 * GIB
        await farm.told("cache-1", "redis-cli config set maxmemory 1gb")
        assert "cache-1" in farm.now.redis_full


async def test_keys_of_a_site_are_found_and_unlinked(tmp_path: Path) -> None:
    async with machines(tmp_path, "redis-pressure") as farm:
        site = farm.farm.running.farm.sites[3]
        keys = (await farm.told("cache-1", f"redis-cli --scan --pattern 'site:{site}:*'")).split()
        assert len(keys) == 6
        assert await farm.told("cache-1", f"redis-cli unlink {keys[0]} {keys[1]} nonsense") == "2\n"
        assert "cache-1" in farm.now.redis_full
        line = "redis-cli --scan --pattern 'site:*' | xargs -r redis-cli unlink"
        assert await farm.told("cache-1", f'sh -c "{line}"') == "3000\n"
        assert "cache-1" not in farm.now.redis_full


async def test_replicas_refuse_writes_and_follow_a_failover(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        assert "role:master" in await farm.told("cache-1", "redis-cli info replication")
        assert "role:slave" in await farm.told("cache-2", "redis-cli info replication")
        assert (await farm.told("cache-2", "redis-cli flushdb")).startswith("READONLY ")
        assert (await farm.do("cache-2", "redis-cli -e flushdb")).exit_status == 1
        assert await farm.told("cache-1", "redis-cli -p 26379 sentinel failover farm") == "OK\n"
        assert farm.now.redis_master == "cache-2"
        await farm.told("cache-2", "systemctl stop redis-server")
        assert farm.now.redis_master == "cache-1"
        assert (await farm.refused("cache-2", "redis-cli ping"))[0] == 1
        await farm.happen(RedisPressure("cache-1", True))
        assert (await farm.told("cache-1", "redis-cli nonsense 1")).startswith("ERR unknown command 'nonsense'")
        assert (await farm.told("cache-1", "redis-cli config set maxmemory lots")).startswith("ERR CONFIG SET failed")


# -- MariaDB and Galera


async def test_a_database_tells_of_its_cluster(tmp_path: Path) -> None:
    async with machines(tmp_path, "flow-control") as farm:
        told = await farm.told("db-3", "mysql -Ne \"SHOW STATUS LIKE 'wsrep%'\"")
        status = dict(line.split("\t") for line in told.splitlines())
        assert (status["wsrep_cluster_size"], status["wsrep_cluster_status"]) == ("3", "Primary")
        assert float(status["wsrep_flow_control_paused"]) > 0.1
        line = "mariadb -N -B -e \"SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_connected')\""
        assert await farm.told("db-3", line) == "wsrep_connected\tON\nwsrep_ready\tON\n"
        assert await farm.told("db-3", "mariadb -e 'SELECT 1'") == "1\n1\n"
        assert await farm.told("db-3", "mariadb -Ne 'select @@hostname; select @@wsrep_desync'") == "db-3\nOFF\n"
        assert await farm.told("db-3", "mariadb-admin ping") == "mysqld is alive\n"


async def test_a_node_leaves_flow_control_and_comes_back(tmp_path: Path) -> None:
    async with machines(tmp_path, "flow-control") as farm:
        await farm.told("db-3", "mariadb -e 'SET GLOBAL wsrep_desync=ON'")
        assert (farm.now.databases["db-3"].state, farm.now.databases["db-3"].paused) == (2, 0.0)
        await farm.told("db-3", "mariadb -e 'SET GLOBAL wsrep_desync = OFF'")
        assert farm.now.databases["db-3"].state == 4


async def test_a_stopped_database_answers_nobody_and_joins_when_it_is_started(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        await farm.told("db-2", "mariadb-admin shutdown")
        assert (await farm.refused("db-2", "mariadb -e 'SELECT 1'"))[1].startswith("ERROR 2002 (HY000): Can't connect")
        assert (await farm.refused("db-2", "mariadb-admin ping"))[0] == 1
        # Others have gone on without it: it may not begin a cluster of its own.
        assert (await farm.refused("db-2", "galera_new_cluster"))[0] == 1
        await farm.told("db-2", "systemctl start mariadb")
        assert (await farm.refused("db-2", "mariadb -e 'SELECT 1'"))[1].startswith("ERROR 1047 (08S01)")
        await farm.pass_time(20.0)
        assert await farm.told("db-2", "mariadb -Ne 'SELECT 1'") == "1\n"


async def test_a_cluster_that_is_down_as_a_whole_is_bootstrapped(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        for name in ("db-1", "db-2", "db-3"):
            await farm.told(name, "systemctl stop mariadb")
        assert [farm.now.primary] == [False]
        assert "timeout was exceeded" in (await farm.refused("db-1", "systemctl start mariadb"))[1]
        assert (await farm.refused("db-1", "sudo -n galera_new_cluster"))[0] == 1
        positions = [await farm.told(name, "sudo -n galera_recovery") for name in ("db-1", "db-2", "db-3")]
        assert all(re.fullmatch(r"--wsrep_start_position=[0-9a-f-]{36}:\d+\n", position) for position in positions)
        path = "/var/lib/mysql/grastate.dat"
        assert "safe_to_bootstrap: 0\n" in await farm.told("db-1", f"cat {path}")
        line = f"sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' {path}"
        assert (await farm.refused("db-1", line))[0] == 4
        await farm.told("db-1", f"sudo -n {line}")
        assert "safe_to_bootstrap: 1\n" in await farm.told("db-1", f"cat {path}")
        await farm.told("db-1", "sudo -n galera_new_cluster")
        assert farm.now.primary
        for name in ("db-2", "db-3"):
            await farm.told(name, "systemctl start mariadb")
        await farm.pass_time(30.0)
        assert farm.now.members == 3
        assert {database.state for database in farm.now.databases.values()} == {4}


async def test_a_minority_is_made_primary_by_hand(tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        # Each of the others is on a host of its own.
        await farm.happen(HostOff("pve-2"), HostOff("pve-3"))
        if not farm.now.primary:
            await farm.told("db-1", "mariadb -e \"SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'\"")
        assert farm.now.primary
        assert farm.now.members == 1


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("DROP TABLE wp_posts", "1064"),
        ("SET GLOBAL nonsense=1", "1193"),
        ("SET GLOBAL wsrep_desync=maybe", "1231"),
        ("SELECT @@nonsense", "1193"),
    ],
)
async def test_a_statement_that_it_does_not_take(statement: str, number: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        status, words = await farm.refused("db-1", f'mariadb -e "{statement}"')
        assert (status, words.startswith(f"ERROR {number} ")) == (1, True)


# -- upkeep


@pytest.mark.parametrize("line", ["reboot", "systemctl reboot"])
async def test_a_machine_is_started_anew(line: str, tmp_path: Path) -> None:
    async with machines(tmp_path) as farm:
        before = await farm.told("worker-02", "cat /proc/sys/kernel/random/boot_id")
        await farm.told("worker-02", f"sudo -n {line}")
        await farm.pass_time(60.0)
        assert await farm.told("worker-02", "cat /proc/sys/kernel/random/boot_id") != before
        assert farm.now.booted["worker-02"] > farm.farm.clock.at - 60.0
        await farm.told("pve-3", f"sudo -n {line}")
        await farm.pass_time(60.0)
        assert farm.now.booted["pve-3"] == farm.now.booted["db-3"]


async def test_what_fills_a_disk_is_found(tmp_path: Path) -> None:
    async with machines(tmp_path, "disk-filling") as farm:
        lines = (await farm.told("db-1", "du -x /var")).splitlines()
        assert max(lines, key=lambda line: int(line.split()[0])).endswith("/var/lib/mysql/binlog")
        assert int((await farm.told("db-1", "free -m")).splitlines()[1].split()[1]) > 60_000
        assert (await farm.do("db-1", "test -e /var/log/journal")).exit_status == 0
        assert (await farm.do("db-1", "test -e /nonsense")).exit_status == 1
        assert (await farm.do("db-1", "apt-get update")).exit_status == 100
        assert (await farm.do("db-1", "sudo -n apt-get -y upgrade")).exit_status == 0
        assert "PASSED" in await farm.told("stor-1", "sudo -n smartctl -H /dev/sdb")
