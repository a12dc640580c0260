"""Writes the number that stands on each line of its input, and prints when that was done."""

from __future__ import annotations

import sys
from time import monotonic

from cachery import RedisCache


def main() -> None:
    """Write to the server on the port that the command line names."""
    with RedisCache(port=int(sys.argv[1]), name="staleness") as cache:
        for line in sys.stdin:
            cache.set("key", int(line))
            print(monotonic(), flush=True)


if __name__ == "__main__":
    main()
