"""What stands on the server stands under the names that ``backends/redis/names.py`` promises to an operator."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backends.redis.ground import HeldLoad, names_at, noted, raw, redis_cache
from tests.servers.redis_servers import RedisServer

from cachery import InMemoryCache, TieredCache
from cachery.backends.redis.names import Names, fence_of, lease_of
from cachery.backends.redis.records import ENVELOPE_AT
from cachery.events import Unreadable
from cachery.serializers.envelope import unpack
from cachery.serializers.pipeline import key_bytes

PARTS = st.text(st.sampled_from("ab:{}#*1\ud800~"), max_size=5) | st.text("a{", min_size=199, max_size=202)
PREFIXES = st.sampled_from(["a", "a:b", "cachery", "b:a"])
LONG = "x" * 201


def digest(key: str) -> bytes:
    return b"#" + blake2b(key_bytes(key), digest_size=16).hexdigest().encode()


def test_an_operator_finds_what_the_documentation_says(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port, "cachery", name="products", lease_life=100) as cache:
        cache.set("user:42", 1, tags=["red", "{b}"])
        for key in (LONG, "{a}", "#1", ""):
            cache.set(key, 1)
        held = HeldLoad(cache, 1, "held")
        cache.clear()
        cache.drain()
        cache.set("user:42", 2)
        names = names_at(own_redis.port)
        assert names == {
            b"cachery:8:products:user:42",
            b"{cachery:8:products:held}:fence",
            b"{cachery:8:products:held}:lease",
            b"{cachery:8:products}:state",
            b"{cachery:8:products}:cleared",
            b"{cachery:8:products}:tag:red",
            b"{cachery:8:products}:tag:{b}",
        }
        held.land()
        for key in (LONG, "{a}", "#1", "", "é\ud800"):
            cache.set(key, 1)
        entries = {name for name in names_at(own_redis.port) if name.startswith(b"cachery:8:products:")}
        assert entries == {
            b"cachery:8:products:" + end
            for end in (b"user:42", b"", digest(LONG), digest("{a}"), digest("#1"), key_bytes("é\ud800"))
        }
        assert sorted(cache.keys()) == sorted(["user:42", LONG, "{a}", "#1", "", "é\ud800"])


def test_fences_and_leases_go_with_their_loads(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache:
        for key in ("a", "b"):
            cache.get_or_set(key, lambda: 1, tags=["red"])
        with pytest.raises(ZeroDivisionError):
            cache.get_or_set("c", lambda: 1 // 0)
        cache.ping()  # what was posted before has been carried out
        assert names_at(own_redis.port) == {b"t:0::a", b"t:0::b", b"{t:0:}:state", b"{t:0:}:tag:red"}


def test_a_name_that_cannot_stand_in_a_name_is_shortened(own_redis: RedisServer) -> None:
    names = ["{n}", "n" * 300, "#", "a:b", "\ud800"]
    caches = [redis_cache(own_redis.port, name=name) for name in names]
    for number, cache in enumerate(caches):
        cache.set("k", number)
    assert [cache.get("k") for cache in caches] == list(range(len(names)))
    assert all(list(cache.keys()) == ["k"] for cache in caches)
    caches[0].clear()
    assert [cache.get("k") for cache in caches] == [None, 1, 2, 3, 4]
    for cache in caches:
        cache.close()


@given(st.tuples(PREFIXES, PARTS, PARTS), st.tuples(PREFIXES, PARTS, PARTS))
def test_no_two_entries_meet(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Injective: another prefix, name or key is another name on the server, for all that stands there."""
    first, second = all_names(*one), all_names(*other)
    if one == other:
        assert first == second
    else:
        assert first[0] != second[0]
        assert first[1:3] != second[1:3]
        assert not set(first[:3]) & set(second[3:])
    if one[:2] != other[:2]:
        assert not set(first) & set(second)


def all_names(prefix: str, name: str, key: str) -> list[bytes]:
    names = Names(prefix, name)
    entry = names.entry(key_bytes(key))
    return [entry, fence_of(entry), lease_of(entry), names.state, names.cleared, names.tag(key)]


@given(PREFIXES, PARTS, PARTS)
def test_a_key_is_read_from_its_name(prefix: str, name: str, key: str) -> None:
    names = Names(prefix, name)
    entry = names.entry(key_bytes(key))
    assert names.key_of(entry) in {key, None}
    assert entry.startswith(names.base)
    assert not names.state.startswith(names.base)


def test_a_prefix_with_globs_finds_its_own_only(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port, "a*") as stars, redis_cache(own_redis.port, "ab") as letters:
        stars.set("k", 1)
        letters.set("k", 2)
        assert list(stars.keys()) == ["k"]
        assert stars.delete_pattern("*") == 1
        assert letters.get("k") == 2


@pytest.mark.parametrize("is_tiered", [False, True])
def test_what_stands_under_a_digest_has_its_whole_key(own_redis: RedisServer, *, is_tiered: bool) -> None:
    """A collision of digests, or a record moved on purpose, is a miss that is told."""
    far = redis_cache(own_redis.port)
    cache = TieredCache(InMemoryCache(), far) if is_tiered else far
    other = "y" * 300
    cache.set(LONG, "mine")
    cache.set(other, "theirs")
    with raw(own_redis.port) as client:
        record = client.get(b"t:0::" + digest(other))
        assert unpack(record[ENVELOPE_AT:], 0).key == other.encode()
        client.set(b"t:0::" + digest(LONG), record, px=50_000)
    seen = noted(cache, Unreadable)
    with redis_cache(own_redis.port) as fresh:
        assert fresh.get(LONG) is None
        assert fresh.get_many([LONG, other]) == {other: "theirs"}
    if not is_tiered:
        assert cache.get(LONG) is None
        assert [(event.key, event.reason) for event in seen] == [(LONG, "key")]
    cache.close()
