"""A window into a network namespace: what is asked at a port out here is asked at that of the same number in there.

    window.py /run/netns/NAME PORT...

It listens first, and enters the namespace then: sockets stay where they were made.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes from one side to the other."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def serve(sockets: list[socket.socket]) -> None:
    """Until ended."""

    async def visitor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        try:
            inner, outer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, outer), pump(inner, writer))
            outer.close()
        except OSError:
            pass
        writer.close()

    servers = [await asyncio.start_server(visitor, sock=sock) for sock in sockets]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main(netns: str, *ports: str) -> None:
    """Listen out here, connect in there."""
    sockets = [socket.create_server(("127.0.0.1", int(port))) for port in ports]
    if ctypes.CDLL(None, use_errno=True).setns(os.open(netns, os.O_RDONLY), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    asyncio.run(serve(sockets))


if __name__ == "__main__":
    main(*sys.argv[1:])
