"""One process of several that write into a cache on disk: ``python -m bench.disk_writer KIND PLACE SECONDS``.

It says that it is ready, waits for a line, writes for that many seconds, and prints how many writes that were.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

from bench.disk_caches import RECORD, peer
from cachery import DiskCache

__all__ = ["main"]


def main(kind: str, place: str, seconds: str) -> None:
    """Write as many records as time allows."""
    cache = DiskCache(place) if kind == "cachery" else peer(Path(place))
    keys = [f"key:{number}" for number in range(5000)]
    cache.set("key", RECORD)
    print("ready", flush=True)
    sys.stdin.readline()
    end = perf_counter() + float(seconds)
    count = 0
    while perf_counter() < end:
        cache.set(keys[count % len(keys)], RECORD)
        count += 1
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
