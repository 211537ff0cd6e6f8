"""The whole simulated farm: a world, and every server that speaks for it on loopback."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache

from aiohttp import web

from farmtui.demo.config import PVE_TOKEN_NAME, PVE_USER, Doors
from farmtui.demo.faults import CALM_S, begun
from farmtui.demo.observed import Keeper, Observed
from farmtui.demo.servers.alertmanager import AlertmanagerServer, Cluster
from farmtui.demo.servers.digitalocean import DigitalOceanServer
from farmtui.demo.servers.listening import HOST, Listening
from farmtui.demo.servers.placed import placed
from farmtui.demo.servers.prometheus import PrometheusServer
from farmtui.demo.servers.proxmox import ProxmoxServer
from farmtui.demo.servers.s3 import S3Server
from farmtui.demo.ssh.keys import Keys
from farmtui.demo.ssh.servers import SshServers
from farmtui.demo.world.inventory import MONITORING, Inventory, build_inventory
from farmtui.demo.world.world import World

API_NODES = 3
"""PVE hosts whose API is in the config: the console goes on to the next when one is down."""

_GOSSIP_PORT = 9094


@dataclass(frozen=True, slots=True)
class Options:
    """What farm to simulate."""

    faults: Sequence[str] = ()
    seed: int = 1
    nodes: int = 34
    sites: int = 500
    gluster: bool = False
    """Whether the storage nodes serve a Gluster volume too, and the console's config says so."""
    clock: Callable[[], float] = time.time
    pace: float = 1.0
    """How long what is done on the machines takes, as a multiple of what is usual there."""


@dataclass(frozen=True, slots=True)
class Running:
    """A farm whose servers listen. Its keeper lets things happen to it."""

    keeper: Keeper
    farm: Inventory
    doors: Doors


def build_world(options: Options) -> World:
    """The world that options ask for. Raises ValueError for too small a farm, KeyError for an unknown fault."""
    farm = build_inventory(options.seed, options.nodes, options.sites)
    return World(
        options.seed,
        options.clock,
        nodes=options.nodes,
        sites=options.sites,
        calm_s=CALM_S if options.faults else None,
        before=begun(options.faults, farm),
    )


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Running]:
    """A farm that serves while the block runs. Raises what `build_world` raises, and OSError."""
    certifying = asyncio.ensure_future(asyncio.to_thread(certificate))
    keeper = Keeper(Observed(build_world(options)))
    farm = keeper.farm
    async with AsyncExitStack() as stack:
        stack.callback(keeper.close)

        async def serve(app: web.Application, machine: str = "", tls: ssl.SSLContext | None = None) -> Listening:
            listening = await Listening.start(placed(app, keeper, machine) if machine else app, tls)
            stack.push_async_callback(listening.stop)
            return listening

        watchers = farm.tiers[MONITORING]
        cluster = Cluster(keeper, options.seed, [f"{m.address}:{_GOSSIP_PORT}" for m in watchers])
        prometheus = await serve(PrometheusServer(keeper).application(), watchers[0].name)
        alertmanagers = [
            await serve(AlertmanagerServer(cluster, place).application(), machine.name)
            for place, machine in enumerate(watchers)
        ]
        do_token, pve_token = secrets.token_hex(32), secrets.token_hex(16)
        api = ProxmoxServer(keeper, user=PVE_USER, token_name=PVE_TOKEN_NAME, token=pve_token)
        tls, authority = await certifying
        cloud = await serve(DigitalOceanServer(keeper, token=do_token).application(), tls=tls)
        s3_access, s3_secret = secrets.token_hex(10).upper(), secrets.token_hex(20)
        store = await serve(S3Server(keeper, access_key=s3_access, secret_key=s3_secret).application(), tls=tls)
        nodes = [await serve(api.application(host.name), host.name, tls) for host in farm.hosts[:API_NODES]]
        machines = SshServers.listen(keeper, Keys.make(), pace=options.pace)
        stack.push_async_callback(machines.stop)
        # Nothing of it happens before whoever asked for the farm has to wait for something.
        machines.begin()
        yield Running(
            keeper,
            farm,
            Doors(
                prometheus=prometheus.url,
                alertmanagers=[replica.url for replica in alertmanagers],
                proxmox=[f"{HOST}:{node.port}" for node in nodes],
                proxmox_token=pve_token,
                digitalocean=cloud.url,
                digitalocean_token=do_token,
                s3=store.url,
                s3_access_key=s3_access,
                s3_secret_key=s3_secret,
                ca=authority,
                ssh=machines.doors,
                gluster=options.gluster,
            ),
        )


@cache
def certificate() -> tuple[ssl.SSLContext, bytes]:
    """A server's TLS for the loopback address, and the certificate (PEM) of the CA that vouches for it.

    Made anew by each process; no key ever leaves it.
    """
    # 0.1 s of import, for who serves TLS only.
    import trustme

    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    return tls, authority.cert_pem.bytes()
