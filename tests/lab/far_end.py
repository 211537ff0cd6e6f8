"""The far end of a tunnel, in a network namespace: answers pings late, or not at all, as a file says.

    far_end.py DEVICE NEAR/PREFIX CONTROL.json

The kernel here has no netem: this stands behind a tun device instead. The file holds {"delay_s": 0.02, "loss": 0.1}.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
ECHO, ICMP = 8, 1


def checksum(packet: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answer_to(packet: bytes) -> bytes | None:
    """The echo reply to an IPv4 echo request; None for anything else."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != ICMP:
        return None
    head = (packet[0] & 0x0F) * 4
    if packet[head] != ECHO:
        return None
    body = b"\0\0\0\0" + packet[head + 4 :]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:head] + body


def main(device: str, near: str, control: str) -> None:
    """Answer until ended."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
    for words in (["address", "add", near, "dev", device], ["link", "set", device, "up"]):
        subprocess.run(["ip", *words], check=True)
    chance = random.Random(1)
    waiting: list[tuple[float, bytes]] = []
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.2
        if select.select([tun], [], [], left)[0]:
            reply = answer_to(os.read(tun, 65_536))
            told = json.loads(Path(control).read_text(encoding="utf-8"))
            if reply is not None and chance.random() >= told["loss"]:
                waiting.append((time.monotonic() + told["delay_s"], reply))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(tun, waiting.pop(0)[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
