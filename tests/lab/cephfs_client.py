"""A client of CephFS: it mounts the file system by libcephfs and writes a little, until it is ended.

It survives what its cluster goes through: an error (no space, cut off as too late) is printed, and it mounts anew.

/usr/bin/python3 cephfs_client.py CONF     Debian's own Python has the binding; the project's need not
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import time

PERIOD_S = 1.0
LONGEST_S = 3600.0
"""It ends by itself if nobody ends it."""


def main(conf: str) -> int:
    """Write and read one file on and on; says `mounted` once it can."""
    cephfs = importlib.import_module("cephfs")
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        files = cephfs.LibCephFS(conffile=conf)
        try:
            files.mount()
            print("mounted", flush=True)
            for turn in itertools.count():
                if time.monotonic() > until:
                    break
                handle = files.open("/heartbeat", os.O_CREAT | os.O_RDWR, 0o644)
                files.write(handle, f"{turn}\n".encode(), 0)
                files.close(handle)
                files.stat("/")
                time.sleep(PERIOD_S)
        except (cephfs.Error, OSError) as error:
            print(error, flush=True)
            time.sleep(PERIOD_S)
        finally:
            files.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
