"""Replication between processes: one that is killed goes on where it was, and a forked child follows by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest
from tests.servers.redis_servers import HOST, wait_until

from cachery import DiskCache, InMemoryCache
from cachery.replication import ReplicatedCache, StreamLog

pytest.importorskip("redis")

SECRET = "a secret of tests"

PROGRAM = """
import json, sys
from cachery import DiskCache, InMemoryCache
from cachery.replication import ReplicatedCache, StreamLog

url, stream, site, place = sys.argv[1:]
beneath = DiskCache(place, secret="a secret of tests") if place else InMemoryCache()
cache = ReplicatedCache(beneath, StreamLog(url, stream), site=site)
for line in sys.stdin:
    verb, arguments = json.loads(line)
    owner = cache.replica if verb.startswith("wait") else cache
    print(json.dumps(getattr(owner, verb)(*arguments)), flush=True)
cache.close()
"""


class Process:
    """A process with a site of its own."""

    def __init__(self, port: int, stream: str, site: str, place: str = "") -> None:
        command = [sys.executable, "-c", PROGRAM, f"redis://{HOST}:{port}", stream, site, place]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, verb: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._process.poll() is None:
            self._process.communicate(timeout=30)


def settle(process: Process, cache: ReplicatedCache) -> None:
    for _ in range(2):
        assert process.ask("wait_until_caught_up", 20)
        assert cache.replica.wait_until_caught_up(20)


def test_two_processes_follow_each_other(redis_port: int, redis_prefix: str) -> None:
    log = StreamLog(f"redis://{HOST}:{redis_port}", redis_prefix)
    with (
        Process(redis_port, redis_prefix, "there") as there,
        ReplicatedCache(InMemoryCache(), log, site="here") as here,
    ):
        settle(there, here)
        there.ask("set", "theirs", [1, 2])
        here.set("ours", {"a": None})
        settle(there, here)
        assert here.get("theirs") == [1, 2]
        assert there.ask("get", "ours") == {"a": None}


def test_two_processes_over_one_store(redis_port: int, redis_prefix: str, tmp_path: Path) -> None:
    log = StreamLog(f"redis://{HOST}:{redis_port}", redis_prefix)
    disk = DiskCache(tmp_path, secret=SECRET)
    with (
        ReplicatedCache(disk, log, site="here") as here,
        Process(redis_port, redis_prefix, "here", str(tmp_path)) as neighbour,
        Process(redis_port, redis_prefix, "there") as there,
    ):
        settle(neighbour, here)
        assert there.ask("wait_until_caught_up", 20)
        for number in range(50):
            neighbour.ask("set", "key", f"neighbour {number}")
            here.set("key", f"here {number}")
        settle(neighbour, here)
        settle(there, here)
        assert there.ask("get", "key") == here.get("key")


def test_a_killed_process_goes_on_where_it_was(redis_port: int, redis_prefix: str, tmp_path: Path) -> None:
    log = StreamLog(f"redis://{HOST}:{redis_port}", redis_prefix)
    with ReplicatedCache(InMemoryCache(), log, site="here") as here:
        with Process(redis_port, redis_prefix, "there", str(tmp_path)) as there:
            settle(there, here)
            here.set_many({"a": 1, "b": 2})
            settle(there, here)
            there.kill()
        here.delete("a")
        here.set("c", 3)
        with Process(redis_port, redis_prefix, "there", str(tmp_path)) as there:
            settle(there, here)
            assert [there.ask("get", key) for key in "abc"] == [None, 2, 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_follows_by_itself(redis_port: int, redis_prefix: str) -> None:
    log = StreamLog(f"redis://{HOST}:{redis_port}", redis_prefix)
    with ReplicatedCache(InMemoryCache(), log, site="here") as cache:
        assert cache.replica.wait_until_caught_up(20)
        child = os.fork()
        if not child:
            try:
                cache.set("of the child", 1)
                wait_until(lambda: cache.get("of the parent") == 2)
                os._exit(0 if cache.replica.wait_until_caught_up(20) else 1)
            except BaseException:  # noqa: BLE001 - it is told by the status
                os._exit(2)
        cache.set("of the parent", 2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert cache.replica.wait_until_caught_up(20)
        assert cache.get("of the child") == 1
