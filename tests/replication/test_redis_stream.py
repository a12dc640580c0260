"""Replication through a real server: followed by threads, over bad networks, and after the server lost everything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.servers.redis_servers import HOST, RedisServer, ask, wait_until

from cachery import Cache, CacheConnectionError, CacheValueError, DiskCache, InMemoryCache
from cachery.replication import ReplicatedCache, StreamLog
from cachery.testing import TcpProxy

redis: Any = pytest.importorskip("redis")

SECRET = "a secret of tests"
Make = Callable[..., ReplicatedCache]


@pytest.fixture
def make(redis_port: int, redis_prefix: str) -> Iterator[Make]:
    """Return a function that makes a site; all of one test share a stream."""
    with ExitStack() as made:

        def make(site: str, cache: Cache | None = None, *, port: int = redis_port, **options: Any) -> ReplicatedCache:
            own = {name: options.pop(name) for name in ("max_length", "timeout") if name in options}
            log = StreamLog(f"redis://{HOST}:{port}", redis_prefix, **own)
            beneath = InMemoryCache() if cache is None else cache
            return made.enter_context(ReplicatedCache(beneath, log, site=site, **options))

        yield make


def settle(*sites: ReplicatedCache) -> None:
    for _ in range(2):
        for site in sites:
            assert site.replica.wait_until_caught_up(20)


def test_three_sites_follow_one_another(make: Make) -> None:
    sites = [make(name) for name in ("paris", "tokyo", "osaka")]
    settle(*sites)
    for number, site in enumerate(sites):
        site.set(f"of {number}", number, ttl=100)
    settle(*sites)
    for site in sites:
        assert site.get_many([f"of {number}" for number in range(3)]) == {"of 0": 0, "of 1": 1, "of 2": 2}
        assert site.ttl("of 1") == pytest.approx(100, abs=5)
        assert (site.replica.pending, site.replica.behind, site.replica.gaps) == (0, 0, 0)
        assert 0 <= site.replica.lag < 20


def test_conflicts_converge(make: Make) -> None:
    sites = [make(name) for name in ("paris", "tokyo", "osaka")]
    settle(*sites)
    for number in range(200):
        for site in sites:
            site.set("key", f"{site.replica.site} {number}")
    settle(*sites)
    assert len({site.get("key") for site in sites}) == 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_client_may_be_given(redis_port: int, redis_prefix: str, protocol: int, make: Make) -> None:
    with redis.Redis(port=redis_port, protocol=protocol) as client:
        log = StreamLog(client, redis_prefix)
        with ReplicatedCache(InMemoryCache(), log, site="paris") as paris:
            tokyo = make("tokyo")
            settle(tokyo, paris)
            tokyo.set("key", [1, {"two": 2.5}])
            settle(tokyo, paris)
            assert paris.get("key") == [1, {"two": 2.5}]
        assert client.ping()


def test_memory_and_disk(make: Make, tmp_path: Path) -> None:
    disk = make("disk", DiskCache(tmp_path, secret=SECRET))
    memory = make("memory")
    settle(disk, memory)
    memory.set("a", 1)
    disk.set("b", 2, tags=["tag"])
    disk.incr("n", 3)
    settle(disk, memory)
    assert disk.get_many(["a", "b", "n"]) == memory.get_many(["a", "b", "n"]) == {"a": 1, "b": 2, "n": 3}
    memory.invalidate_tags("tag")
    settle(memory, disk)
    assert sorted(disk.keys()) == ["a", "n"]
    disk.close()
    memory.set("c", 3)
    settle(memory)
    again = make("disk", DiskCache(tmp_path, secret=SECRET))
    settle(again)
    assert again.get_many(["a", "b", "c", "n"]) == {"a": 1, "c": 3, "n": 3}
    assert again.replica.gaps == 0


def test_what_was_written_without_the_network_arrives_later(
    make: Make, redis_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with TcpProxy(HOST, redis_port) as proxy, caplog.at_level(logging.WARNING, "cachery"):
        paris, tokyo = make("paris", port=proxy.port), make("tokyo")
        settle(paris, tokyo)
        proxy.refuse()
        proxy.cut()
        paris.set("key", "paris")
        tokyo.set("other", "tokyo")
        settle(tokyo)
        assert (paris.get("key"), paris.get("other"), tokyo.get("key")) == ("paris", None, None)
        assert paris.replica.wait_until_caught_up(0.1) is False
        proxy.heal()
        settle(paris, tokyo)
        assert (paris.get("other"), tokyo.get("key")) == ("tokyo", "paris")
        assert paris.replica.gaps == 0
        paris.close()
    assert caplog.text.count("goes on by itself") <= 2


def test_a_reset_connection_is_made_again(make: Make, redis_port: int) -> None:
    with TcpProxy(HOST, redis_port) as proxy:
        paris, tokyo = make("paris", port=proxy.port), make("tokyo")
        settle(paris, tokyo)
        for number in range(20):
            proxy.reset()
            paris.set("ours", number)
            tokyo.set("theirs", number)
        settle(paris, tokyo)
        assert paris.get_many(["ours", "theirs"]) == tokyo.get_many(["ours", "theirs"]) == {"ours": 19, "theirs": 19}
        paris.close()


def test_a_network_that_swallows_everything_is_left(make: Make, redis_port: int) -> None:
    with TcpProxy(HOST, redis_port) as proxy:
        paris, tokyo = make("paris", port=proxy.port, timeout=0.3), make("tokyo")
        settle(paris, tokyo)
        proxy.black_hole()
        paris.set("key", "paris")
        tokyo.set("other", "tokyo")
        assert paris.replica.wait_until_caught_up(0.5) is False
        proxy.heal()
        settle(paris, tokyo)
        assert (paris.get("other"), tokyo.get("key")) == ("tokyo", "paris")
        paris.close()


def test_a_server_that_stands_still_is_waited_for(make: Make, own_redis: RedisServer) -> None:
    paris, tokyo = (make(site, port=own_redis.port, timeout=0.3) for site in ("paris", "tokyo"))
    settle(paris, tokyo)
    own_redis.pause()
    paris.set("key", "paris")
    assert paris.replica.wait_until_caught_up(0.5) is False
    own_redis.resume()
    settle(paris, tokyo)
    assert tokyo.get("key") == "paris"


def test_a_server_that_lost_everything_is_noticed(make: Make, own_redis: RedisServer) -> None:
    paris, tokyo = (make(site, port=own_redis.port, snapshot_timeout=0.3) for site in ("paris", "tokyo"))
    paris.set("before", 1)
    settle(paris, tokyo)
    own_redis.kill()
    paris.set("meanwhile", 2)
    own_redis.start()
    settle(paris, tokyo)
    assert paris.replica.gaps == tokyo.replica.gaps == 1
    assert tokyo.get("meanwhile") == paris.get("meanwhile") == 2
    assert tokyo.get("before") == paris.get("before")


def test_a_stream_that_was_deleted_is_noticed(make: Make, redis_port: int, redis_prefix: str) -> None:
    paris, tokyo = make("paris"), make("tokyo")
    paris.set("a", 1)
    settle(paris, tokyo)
    ask(redis_port, "DEL", redis_prefix)
    wait_until(lambda: paris.replica.gaps and tokyo.replica.gaps)
    paris.set("b", 2)
    settle(paris, tokyo)
    assert tokyo.get("b") == 2


def test_a_site_that_was_away_too_long_asks_the_others(make: Make, redis_port: int, redis_prefix: str) -> None:
    with TcpProxy(HOST, redis_port) as proxy:
        tokyo, paris = make("tokyo", port=proxy.port), make("paris")
        paris.set_many({"gone": 1, "kept": 2})
        settle(paris, tokyo)
        proxy.refuse()
        proxy.cut()
        paris.delete("gone")
        paris.set("new", 3)
        settle(paris)
        ask(redis_port, "XTRIM", redis_prefix, "MAXLEN", "=", 1)
        proxy.heal()
        settle(tokyo)
        assert dict(tokyo.get_many(tokyo.keys())) == {"kept": 2, "new": 3}
        assert (tokyo.replica.gaps, paris.replica.gaps) == (1, 0)
        tokyo.close()


def test_the_stream_stays_short(make: Make, redis_port: int, redis_prefix: str) -> None:
    paris = make("paris", max_length=100, snapshot_timeout=0.1)
    for number in range(50):
        paris.set_many({f"{number} {letter}": number for letter in "abcdefghij"})
    settle(paris)
    assert ask(redis_port, "XLEN", redis_prefix) < 350


def test_a_fresh_site_is_given_what_the_others_hold(make: Make) -> None:
    paris = make("paris")
    paris.set_many({str(number): number for number in range(700)})
    settle(paris)
    tokyo = make("tokyo", snapshot=True)
    settle(tokyo)
    assert len(tokyo) == 700


def test_a_server_that_is_away_at_the_start_is_waited_for(make: Make, own_redis: RedisServer) -> None:
    own_redis.stop()
    paris = make("paris", port=own_redis.port)
    paris.set("key", 1)
    own_redis.start()
    tokyo = make("tokyo", port=own_redis.port)
    settle(tokyo, paris)
    assert tokyo.get("key") in {1, None}
    paris.set("key", 2)
    settle(paris, tokyo)
    assert tokyo.get("key") == 2


def test_a_site_may_rest(make: Make) -> None:
    paris, tokyo = make("paris"), make("tokyo")
    settle(paris, tokyo)
    tokyo.stop()
    tokyo.stop()
    tokyo.set("written at rest", 1)
    paris.set("key", 2)
    settle(paris)
    assert (tokyo.get("key"), paris.get("written at rest")) == (None, None)
    tokyo.start()
    settle(tokyo, paris)
    assert (tokyo.get("key"), paris.get("written at rest")) == (2, 1)


def test_a_log_that_is_away_has_no_end_to_reach(make: Make, own_redis: RedisServer) -> None:
    paris = make("paris", port=own_redis.port)
    settle(paris)
    own_redis.kill()
    assert paris.replica.wait_until_caught_up(0.15) is False


def test_what_cannot_be_told_is_said_at_the_end(
    make: Make, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    paris = make("paris", port=own_redis.port)
    settle(paris)
    own_redis.kill()
    paris.set("key", 1)
    with caplog.at_level(logging.WARNING, "cachery"):
        paris.close()
    assert "told to nobody" in caplog.text


def test_a_server_that_is_away(own_redis: RedisServer) -> None:
    log = StreamLog(own_redis.url)
    own_redis.stop()
    for ask_it in (log.state, lambda: log.append([{}]), lambda: log.read("0-0", 1, 0)):
        with pytest.raises(CacheConnectionError, match="cannot be reached"):
            ask_it()
    assert "cachery:replication" in repr(log)


def test_a_key_that_is_no_stream(redis_port: int, redis_prefix: str) -> None:
    ask(redis_port, "SET", redis_prefix, "text")
    log = StreamLog(f"redis://{HOST}:{redis_port}", redis_prefix)
    with pytest.raises(CacheConnectionError, match="WRONGTYPE"):
        log.state()
    log.close()


@pytest.mark.parametrize(
    ("server", "options"),
    [("no url", {}), (1, {}), ("redis://localhost", {"max_length": 0}), ("redis://localhost", {"timeout": 0})],
)
def test_bad_arguments_are_refused(server: Any, options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        StreamLog(server, **options)
