"""A process with a tiered cache, which does what it is told, a line of JSON at a time; and its end in a test."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Self

from tests.distributed.recorder import Recorder
from tests.distributed.source import Source
from tests.distributed.workload import KEYS, Awaiting, Blocking, Work

from cachery import InMemoryCache, RedisCache, TieredCache, aio

ROOT = Path(__file__).parents[2]


class Node:
    """Carries out what is told; each method is a verb."""

    def __init__(self, name: str, kind: str, source_port: str) -> None:
        self._name = name
        self._is_blocking = kind == "blocking"
        self._source = Source(int(source_port))
        self._hands: Any = None
        self._cache: Any = None
        self._recorder: Any = None
        self._loads: dict[str, list[str]] = {}
        self._released = threading.Event()

    def open(self, options: dict[str, Any], bus: Any, bound: float) -> None:
        """Make a cache anew; nothing is known of the one before."""
        if "sentinels" in options:
            options["sentinels"] = [tuple(place) for place in options["sentinels"]]
        if self._is_blocking:
            self._cache = TieredCache(InMemoryCache(), RedisCache(**options), bus=bus, max_stale_when_blind=bound)
            self._hands = Blocking(self._cache)
        else:
            tiers = aio.InMemoryCache(), aio.RedisCache(**options)
            door = aio.TieredCache(*tiers, bus=bus, max_stale_when_blind=bound)
            self._cache, self._hands = door.blocking, Awaiting(door)
        self._recorder = Recorder(self._name, self._source, self._refuge)
        self._loads.clear()
        self._released = threading.Event()

    @property
    def _refuge(self) -> Any:
        return self._cache.tier.shelter.refuge

    def start(self, seed: int, workers: int, *, changes: bool) -> None:
        works = [Work(self._hands, self._recorder, Random(f"{seed}-{at}"), changes=changes) for at in range(workers)]
        self._hands.start(works)

    def stop(self) -> None:
        self._hands.stop()

    def is_calm(self) -> bool:
        """Tell whether the server knows all, and changes of others are heard."""
        return not self._refuge.is_dirty and self._cache.tier.channel.is_up

    def is_dirty(self) -> bool:
        """Tell whether there is something that the server does not know."""
        return bool(self._refuge.is_dirty)

    def look(self) -> dict[str, str | None]:
        found: dict[str, str | None] = self._hands.look(self._recorder, KEYS)
        return found

    def close(self, place: str = "") -> None:
        self._hands.close()
        if place:
            self._recorder.save(Path(place))

    # One thing at a time

    def call(self, verb: str, *args: Any) -> Any:
        return self._hands.do(verb, *args)

    def begin_load(self, key: str, count: int, *, is_held: bool) -> None:
        """Have ``count`` callers ask for ``key``, each with a loader that waits for ``release`` if it ``is_held``."""
        brought = self._loads.setdefault(key, [])

        def make() -> str:
            made: str = self._recorder.load(key, monotonic())
            if is_held:
                self._released.wait(60)
            return made

        self._hands.begin(count, key, make, brought.append)

    def release(self) -> None:
        self._released.set()

    def brought(self, key: str) -> list[str]:
        """Return what those got who asked for ``key``, as far as they have."""
        return list(self._loads.get(key, []))

    def loads(self) -> int:
        """Return how many loaders have begun."""
        count: int = self._recorder.loads
        return count


class NodeProcess:
    """A ``Node`` in a process of its own. ``kind``: ``"blocking"`` or ``"awaiting"``."""

    def __init__(self, name: str, kind: str, source_port: int) -> None:
        self.name = name
        command = [sys.executable, "-m", "tests.distributed.node", name, kind, str(source_port)]
        path = os.pathsep.join([*filter(None, sys.path), str(ROOT)])
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}, text=True
        )

    def tell(self, verb: str, *args: Any, **options: Any) -> Callable[[], Any]:
        """Have ``verb`` carried out; return a function that waits for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([verb, args, options]) + "\n")
        self._process.stdin.flush()
        return self._answer

    def ask(self, verb: str, *args: Any, **options: Any) -> Any:
        """Return the answer to ``verb``."""
        return self.tell(verb, *args, **options)()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the process of {self.name} ended")
        return json.loads(line)

    def stand_still(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.kill()


def main() -> None:
    """Serve until nobody is there to tell anything."""
    logging.getLogger("cachery").addHandler(logging.NullHandler())
    node = Node(*sys.argv[1:])
    for line in sys.stdin:
        verb, args, options = json.loads(line)
        sys.stdout.write(json.dumps(getattr(node, verb)(*args, **options)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
