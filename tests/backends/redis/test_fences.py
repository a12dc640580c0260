"""An invalidation wins over every load that began before it, whoever of those who share the server does which."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.backends.redis.ground import PATIENCE, HeldLoad, redis_cache
from tests.servers.redis_servers import HOST, wait_until

from cachery import InMemoryCache, RedisCache, TieredCache

INVALIDATIONS: dict[str, Callable[[Any], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "delete_many": lambda cache: cache.delete_many(["a", "b"]),
    "set": lambda cache: cache.set("a", "newer"),
    "set_many": lambda cache: cache.set_many({"a": "newer"}),
    "set_over": lambda cache: cache.set("a", "gone", ttl=0),
    "add": lambda cache: cache.add("a", "newer"),
    "incr": lambda cache: cache.incr("a"),
    "tag": lambda cache: cache.invalidate_tags("red"),
    "pattern": lambda cache: cache.delete_pattern("a*"),
    "clear": lambda cache: cache.clear(),
}
AFTER = {"set": "newer", "set_many": "newer", "add": "newer", "incr": 1}

Make = Callable[[], Any]


@pytest.fixture(params=["one", "cluster", "tiers", "tiers in a cluster"])
def make(
    request: pytest.FixtureRequest, redis_port: int, redis_cluster_ports: tuple[int, ...], redis_prefix: str
) -> Iterator[Make]:
    """Return a function that makes caches that share their entries: nodes of a service."""
    made: list[Any] = []

    def one() -> Any:
        if "cluster" in request.param:
            cache: Any = RedisCache(HOST, redis_cluster_ports[0], cluster=True, name=redis_prefix)
        else:
            cache = RedisCache(HOST, redis_port, name=redis_prefix)
        made.append(TieredCache(InMemoryCache(), cache) if "tiers" in request.param else cache)
        return made[-1]

    yield one
    for cache in made:
        assert cache.store.audit() == []
        cache.close()


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_an_invalidation_by_another_node_wins(make: Make, name: str) -> None:
    one, other = make(), make()
    held = HeldLoad(one, "old", tags=["red"])
    INVALIDATIONS[name](other)
    assert held.land() == "old", "who waited has what was loaded"
    assert other.get("a") == AFTER.get(name)
    wait_until(lambda: one.get("a") == AFTER.get(name))


@pytest.mark.parametrize("name", INVALIDATIONS)
def test_an_invalidation_by_the_same_node_wins_at_once(make: Make, name: str) -> None:
    one, other = make(), make()
    held = HeldLoad(one, "old", tags=["red"])
    INVALIDATIONS[name](one)
    assert held.land() == "old"
    assert one.get("a") == other.get("a") == AFTER.get(name)


def test_a_tag_that_only_the_loader_knew_counts(make: Make) -> None:
    one, other = make(), make()
    other.set("b", 1, tags=["red"])
    held = HeldLoad(one, "old", loader_tags=("red",))
    other.invalidate_tags("red")
    assert held.land() == "old"
    assert one.get("a") is other.get("a") is None
    assert one.get_or_set("a", lambda: "new") == "new"
    assert other.get("a") == "new"


def test_a_tag_that_nobody_carried_before_counts(make: Make) -> None:
    one, other = make(), make()
    held = HeldLoad(one, "old", loader_tags=("red",))
    other.invalidate_tags("red")
    held.land()
    assert one.get("a") is other.get("a") is None
    HeldLoad(one, "new", loader_tags=("red",)).land()
    assert other.get("a") == "new", "when nothing comes between, it is stored"
    other.invalidate_tags("red")
    assert other.get("a") is None


@pytest.mark.parametrize("name", ["delete", "set", "tag", "pattern", "clear"])
def test_who_asks_after_an_invalidation_does_not_join_a_load_of_before(make: Make, name: str) -> None:
    """The request comes to the node that loads; the invalidation is made by another. The lease is the old load's."""
    one, other = make(), make()
    held = HeldLoad(one, "old", tags=["red"])
    INVALIDATIONS[name](other)
    expected = "newer" if name == "set" else "new"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one.get_or_set, "a", lambda: "new", tags=["red"])
        if name == "set":
            assert asked.result(PATIENCE) == expected, "it is there already"
        assert held.land() == "old"
        assert asked.result(PATIENCE) == expected
    wait_until(lambda: one.get("a") == expected)
    assert other.get("a") == expected


def test_touching_does_not_undo_a_load(make: Make) -> None:
    one, other = make(), make()
    held = HeldLoad(one, "value")
    assert other.touch("a", 50) is False
    held.land()
    assert other.get("a") == "value"


def test_a_refresh_is_overtaken_too(make: Make) -> None:
    one, other = make(), make()
    one.set("a", "old")
    began, may_end = threading.Event(), threading.Event()

    def load() -> str:
        began.set()
        assert may_end.wait(PATIENCE)
        return "older"

    with ThreadPoolExecutor(1) as pool:
        refresh = pool.submit(one.cached(key="a")(load).refresh)
        assert began.wait(PATIENCE)
        other.set("a", "newest")
        may_end.set()
        assert refresh.result(PATIENCE) == "older"
    assert other.get("a") == "newest"
    wait_until(lambda: one.get("a") == "newest")


CHILD = """
import sys
from cachery import RedisCache
port, name = int(sys.argv[1]), sys.argv[2]
cache = RedisCache("127.0.0.1", port, name=name)
for verb in sys.stdin:
    {"delete": lambda: cache.delete("a"), "set": lambda: cache.set("a", "newer"), "clear": cache.clear,
     "tag": lambda: cache.invalidate_tags("red"), "pattern": lambda: cache.delete_pattern("*"),
     "incr": lambda: cache.incr("a")}[verb.strip()]()
    print("done", flush=True)
"""


def test_an_invalidation_by_another_process_wins(redis_port: int, redis_prefix: str) -> None:
    command = [sys.executable, "-c", CHILD, str(redis_port), redis_prefix]
    place = str(Path(__file__).parents[3] / "src")
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": place}
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child, redis_cache(redis_port, "cachery", name=redis_prefix) as cache:
        for verb in ("delete", "set", "clear", "tag", "pattern", "incr"):
            cache.delete("a")
            held = HeldLoad(cache, "old", tags=["red"])
            child.stdin.write(f"{verb}\n")
            child.stdin.flush()
            assert child.stdout.readline() == "done\n"
            assert held.land() == "old"
            assert cache.get("a") == AFTER.get(verb)
        child.stdin.close()
        assert child.wait(PATIENCE) == 0
