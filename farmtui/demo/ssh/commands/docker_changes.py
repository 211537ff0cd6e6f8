"""What docker does to the Swarm: nodes drained, services scaled, updated and rolled back, images thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from farmtui.demo.ssh.call import Call
from farmtui.demo.ssh.commands.docker_errors import DockerError
from farmtui.demo.ssh.commands.swarm_told import TRAEFIK, SwarmTold, ident
from farmtui.demo.ssh.given import told_apart
from farmtui.demo.world.changes import CertificateStuck, Change, DiskFilling, SiteBroken, TasksFailing
from farmtui.demo.world.service_changes import Availability, Scaled, ServiceUpdated
from farmtui.demo.world.site_changes import SiteHungry

_A_TASK_S = 1.5
_MOST_REPLICAS = 100
_VALUED = ("--availability", "--label-add", "--label-rm", "--role", "--image", "--replicas", "--update-parallelism")
_VALUED_TOO = ("--update-delay", "--env-add", "--env-rm", "--limit-memory", "--constraint-add", "--constraint-rm")


async def update_node(call: Call, told: SwarmTold, given: Sequence[str]) -> int:
    """`docker node update`."""
    options, names = told_apart(given, (*_VALUED, *_VALUED_TOO))
    if len(names) != 1:
        raise DockerError('"docker node update" requires exactly 1 argument.')
    name = next((n for n in told.nodes if names[0] == n or (names[0] and ident("node", n).startswith(names[0]))), None)
    if name is None:
        raise DockerError(f"Error: No such node: {names[0]}")
    wanted = options.get("--availability")
    if wanted not in (None, "active", "pause", "drain"):
        raise DockerError(f'Error response from daemon: invalid availability "{wanted}"')
    if wanted is not None:
        await call.happen(Availability(name, wanted))
    call.out(f"{names[0]}\n")
    return 0


async def scale(call: Call, told: SwarmTold, given: Sequence[str]) -> int:
    """`docker service scale SERVICE=REPLICAS`."""
    options, words = told_apart(given, ())
    if not words:
        raise DockerError('"docker service scale" requires at least 1 argument.')
    for word in words:
        name, _, count = word.partition("=")
        if not (count.isascii() and count.isdigit()):
            raise DockerError(f"invalid scale specifier '{word}'. See 'docker service scale --help'.")
        service = _service(told, name)
        index = told.sites.get(service)
        if index is None:
            raise DockerError(f"{service}: scale can only be used with replicated or replicated-job mode")
        replicas = min(int(count), _MOST_REPLICAS)
        await call.happen(Scaled(index, replicas, told.replicas(index)))
        call.out(f"{name} scaled to {replicas}\n")
        if not _detached(options):
            await _converge(call, replicas)
    return 0


async def roll(call: Call, told: SwarmTold, given: Sequence[str], *, back: bool) -> int:
    """`docker service update` and `rollback`: all tasks are replaced, and what had crashed or failed is mended."""
    options, names = told_apart(given, (*_VALUED, *_VALUED_TOO))
    if len(names) != 1:
        raise DockerError('"docker service update" requires exactly 1 argument.')
    service = _service(told, names[0])
    index = told.sites.get(service)
    if (count := options.get("--replicas")) is not None:
        return await scale(call, told, [f"{names[0]}={count}"])
    back = back or "--rollback" in options
    replaces = back or "--force" in options or "--image" in options
    mended: list[Change] = [ServiceUpdated(service, back)] if replaces else []
    if replaces and index is not None:
        if any(site == index for site, _ in told.failing):
            mended.append(TasksFailing(0))
        if index in told.now.broken_sites:
            mended.append(SiteBroken(index, 0.0))
        if index in told.now.hungry:
            mended.append(SiteHungry(index, 0.0))
    elif replaces and service == TRAEFIK and told.now.expiring_site >= 0:
        # It asks for what it has not got at its start.
        mended.append(CertificateStuck(-1))
    tasks = sum(task.desired == "running" for task in told.by_service.get(service, ()))
    call.out(f"{names[0]}\n")
    if back:
        call.out("rollback: manually requested rollback\n")
    detached = _detached(options)
    # The managers go on with it whatever becomes of docker.
    await call.change((), _A_TASK_S * tasks if replaces and not detached else 0.0, mended)
    if not detached:
        await _converge(call, tasks, waits=False)
    return 0


def _detached(options: Mapping[str, str]) -> bool:
    return "-d" in options or options.get("--detach", "false") != "false"


async def reclaim(call: Call) -> None:
    """`docker system prune` and the like."""
    filled = (await call.condition()).filling.get(call.machine)
    share = filled.value(call.place.keeper.now) if filled else 0.0
    await call.takes(2.0)
    if share > 0:
        await call.happen(DiskFilling(call.machine, 0.0))
    size = call.farm.by_name[call.machine].size.disk_bytes
    call.out(f"Total reclaimed space: {share * size / 1e9 + 0.4:.2f}GB\n")


async def _converge(call: Call, tasks: int, *, waits: bool = True) -> None:
    call.out(f"overall progress: 0 out of {tasks} tasks\n")
    if waits:
        await call.takes(_A_TASK_S * min(tasks, 10))
    call.out(f"overall progress: {tasks} out of {tasks} tasks\nverify: Service converged\n")


def _service(told: SwarmTold, name: str) -> str:
    if name in told.sites or name in told.names:
        return name
    found = [each for each in told.names if ident("service", each).startswith(name)] if name else []
    if len(found) != 1:
        raise DockerError(f"no such service: {name}")
    return found[0]
