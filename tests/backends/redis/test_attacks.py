"""Who may write to the server can make values disappear, and nothing else: an attack is a miss and an event."""

from __future__ import annotations

import logging
import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.backends.redis.ground import noted, raw, redis_cache
from tests.servers.redis_servers import RedisServer

from cachery import InMemoryCache, RedisCache, TieredCache
from cachery.backends.redis.records import ENVELOPE_AT, STAMP_SIZE
from cachery.events import Unreadable
from cachery.model.entry import Entry
from cachery.serializers.compression import Compression
from cachery.serializers.envelope import NO_KEY, SIGNATURE, VERSION, Body, pack, unpack
from cachery.serializers.keyring import Keyring

SECRET, ANOTHER_SECRET = "a secret of the tests", "the secret of somebody else"
VERSION_AT = ENVELOPE_AT + 2
FOREVER = 10**9


@pytest.fixture
def client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    with raw(own_redis.port) as client:
        yield client


@pytest.fixture
def cache(own_redis: RedisServer) -> Iterator[RedisCache]:
    with redis_cache(own_redis.port, secret=SECRET, serializer="pickle") as cache:
        cache.set("other", "fine")
        yield cache


def taken(client: Any, key: str = "a") -> bytes:
    record: bytes = client.get(f"t:0::{key}")
    return record


def planted(cache: RedisCache, client: Any, record: bytes, key: str = "a") -> list[str]:
    """Put ``record`` under ``key``; return the reasons that are given when it is not readable."""
    client.set(f"t:0::{key}", record, px=FOREVER)
    return refused(cache, key)


def refused(cache: RedisCache, key: str = "a") -> list[str]:
    """Read ``key`` alone and among others, a miss each time; return the reason that is given.

    What seems to carry a tag that nobody knows is undone by that already, where tags are looked at first.
    """
    seen = noted(cache, Unreadable)
    assert cache.get(key, "a miss") == "a miss"
    assert cache.get_many([key, "other"]) == {"other": "fine"}
    cache._listeners = ()
    return sorted({event.reason for event in seen if event.key == key})


def changed(record: bytes, place: int, *new: int) -> bytes:
    return record[:place] + bytes(new) + record[place + len(new) :]


def codec_of(cache: RedisCache) -> Any:
    store: Any = cache.store
    return store.codec


def signed(cache: RedisCache, stamp: bytes, record: bytes) -> bytes:
    """Return ``record`` with the signature of ``cache``: what somebody can plant who has the secret."""
    keyring: Any = codec_of(cache).keyring
    sealed: bytes = keyring.signed(record)
    return stamp + sealed


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_each_byte_of_an_envelope_counts(cache: RedisCache, client: redis.Redis) -> None:
    """Tampering: a record with any bit changed is not read."""
    cache.set("a", "value", ttl=1000, tags=["red"])
    record = taken(client)
    for place in range(ENVELOPE_AT, len(record)):
        for mask in (0x01, 0x80):
            reasons = planted(cache, client, changed(record, place, record[place] ^ mask))
            assert reasons
            assert reasons[0] in {"format", "damaged", "secret", "signature"}
    planted_again = client.set("t:0::a", record, px=FOREVER)
    assert planted_again
    assert cache.get("a") == "value"


def test_a_changed_stamp_brings_no_other_value(cache: RedisCache, client: redis.Redis) -> None:
    """Tampering: what stands before the envelope decides whether it is alive, and is no part of what it says."""
    cache.set("a", "value")
    record = taken(client)
    for place in range(ENVELOPE_AT):
        client.set("t:0::a", changed(record, place, record[place] ^ 0x80), px=FOREVER)
        assert cache.get("a") in {"value", None}
        assert cache.get_many(["a"]) in ({"a": "value"}, {})


def test_a_part_of_a_record_is_none(cache: RedisCache, client: redis.Redis) -> None:
    """Truncation: a record cut anywhere, or with something after its end, is not read."""
    cache.set("a", "value", tags=["red"])
    record = taken(client)
    for size in range(len(record)):
        assert planted(cache, client, record[:size]) in (["format"], ["damaged"])
    for more in (b"\0", b"x" * SIGNATURE, record):
        assert planted(cache, client, record + more) == ["damaged"]


def test_a_record_stands_under_its_key_in_its_cache_only(
    cache: RedisCache, client: redis.Redis, own_redis: RedisServer
) -> None:
    """Swapping and copying: neither the record of another key is read, nor that of another cache with this secret."""
    cache.set("a", "of a")
    cache.set("b", "of b")
    assert planted(cache, client, taken(client, "b"), "a") == ["key"]
    with redis_cache(own_redis.port, secret=SECRET, serializer="pickle", name="n") as named:
        named.set("a", "of the other")
    stamp = taken(client, "b")[:ENVELOPE_AT]
    theirs: Any = client.get("t:1:n:a")
    assert planted(cache, client, stamp + theirs[ENVELOPE_AT:]) == ["signature"]


def test_another_secret_is_another_cache(
    cache: RedisCache, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Forging: what another secret signed is not read. That is said once, for it may be a mistake."""
    with redis_cache(own_redis.port, secret=ANOTHER_SECRET, serializer="pickle") as other:
        other.set("a", "of the other")
        with caplog.at_level(logging.WARNING, logger="cachery"):
            for _ in range(3):
                assert refused(cache) == ["secret"]
    assert len(caplog.records) == 1
    assert "CACHERY_SECRET" in caplog.text


def test_how_a_record_is_read_is_not_chosen_by_it(cache: RedisCache, client: redis.Redis) -> None:
    """Downgrading: no other version, serializer, compression or flag, neither without the secret nor with it."""
    cache.set("a", "value")
    record = taken(client)
    stamp, envelope = record[:ENVELOPE_AT], record[ENVELOPE_AT:-SIGNATURE]
    for place, values, reason in (
        (2, (0, 2, 255), "format"),
        (3, (2, 3, 9, 255), "serializer"),
        (4, (1, 2, 3, 9), "compression"),
        (5, (1, 4, 128), "encryption"),
    ):
        for value in values:
            unsigned = changed(record, ENVELOPE_AT + place, value)
            assert planted(cache, client, unsigned) == ["format" if place == 2 else "signature"]
            forged = signed(cache, stamp, changed(envelope, place, value))
            client.set("t:0::a", forged, px=FOREVER)
            seen = noted(cache, Unreadable)
            assert cache.get("a") is None
            assert [event.reason for event in seen] == [reason]
            cache._listeners = ()


def test_nothing_that_is_not_signed_is_unpickled(cache: RedisCache, client: redis.Redis, tmp_path: Path) -> None:
    """Code: a pickle without our signature is not even looked at."""
    marker = tmp_path / "was here"
    body = Body(pickle.dumps(Evil(marker)), 1)
    stranger = Keyring(ANOTHER_SECRET, "")
    key_id = codec_of(cache).keyring.key_id
    cache.set("a", 1)
    stamp = taken(client)[:ENVELOPE_AT]
    for record, reason in (
        (pack(b"a", body, Entry(None), 0), "secret"),
        (pack(b"a", body, Entry(None), 0) + bytes(SIGNATURE), "secret"),
        (stranger.signed(pack(b"a", body, Entry(None), 0, key_id)), "signature"),
        (pack(b"a", body, Entry(None), 0, NO_KEY) + bytes(SIGNATURE), "secret"),
        (body.data, "format"),
    ):
        assert planted(cache, client, stamp + record) == [reason]
    assert planted(cache, client, body.data) == ["format"]
    assert not marker.exists()
    client.set("t:0::a", signed(cache, stamp, pack(b"a", body, Entry(None), 0, key_id)), px=FOREVER)
    cache.get("a")
    assert marker.exists(), "the attack itself works"


@pytest.mark.parametrize("serializer", ["msgpack", "json"])
def test_a_pickle_is_nothing_to_a_cache_of_plain_data(own_redis: RedisServer, tmp_path: Path, serializer: str) -> None:
    marker = tmp_path / "was here"
    with redis_cache(own_redis.port, serializer=serializer) as cache, raw(own_redis.port) as client:
        cache.set("other", "fine")
        cache.set("a", 1)
        record = taken(client)[:ENVELOPE_AT] + pack(b"a", Body(pickle.dumps(Evil(marker)), 1), Entry(None), 0)
        assert planted(cache, client, record)[:1] == ["serializer"]
    assert not marker.exists()


@pytest.mark.parametrize("method", ["zlib", "zstd", "lz4"])
def test_a_bomb_does_not_go_off(own_redis: RedisServer, method: str) -> None:
    """Bombs: with the secret too, nothing is inflated to more than a value may have."""
    bomb = Compression(method, limit=2**30).compress(bytes(64 * 2**20))
    options: dict[str, Any] = {"secret": SECRET, "compression": method, "max_value_bytes": "1MiB"}
    with redis_cache(own_redis.port, **options) as cache, raw(own_redis.port) as client:
        cache.set("a", "value" * 1000)
        stored = taken(client)
        envelope = unpack(stored[ENVELOPE_AT:])
        body = Body(bomb, envelope.body.serializer, envelope.body.compression)
        record = pack(b"a", body, Entry(None), 0, envelope.key_id)
        client.set("t:0::a", signed(cache, stored[:ENVELOPE_AT], record), px=FOREVER)
        seen = noted(cache, Unreadable)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            assert cache.get("a") is None
            assert tracemalloc.get_traced_memory()[1] - before < 24 * 2**20
        finally:
            tracemalloc.stop()
        assert [event.reason for event in seen] == ["compression"]


@pytest.mark.parametrize("is_signed", [False, True])
def test_what_a_later_version_wrote_is_a_miss(own_redis: RedisServer, *, is_signed: bool) -> None:
    """Old and new processes on one server: what is not known is absent, and can be written over."""
    secret = SECRET if is_signed else None
    with redis_cache(own_redis.port, secret=secret) as cache, raw(own_redis.port) as client:
        cache.set("other", "fine")
        cache.set("a", "value")
        assert planted(cache, client, changed(taken(client), VERSION_AT, VERSION + 1)) == ["format"]
        assert cache.get_or_set("a", lambda: "loaded") == "loaded"
        assert cache.get("a") == "loaded"


def test_what_others_left_under_a_name_of_ours_is_a_miss(own_redis: RedisServer) -> None:
    with redis_cache(own_redis.port) as cache, raw(own_redis.port) as client:
        cache.set("other", "fine")
        for foreign in (b"", b"foreign", b"x" * STAMP_SIZE, b"x" * 500):
            assert planted(cache, client, foreign) == ["format"]
        client.set("t:0::a", b"no end")
        assert refused(cache) == ["format"]


def test_in_memory_before_the_server_too(own_redis: RedisServer) -> None:
    far = redis_cache(own_redis.port, secret=SECRET)
    with TieredCache(InMemoryCache(), far) as cache, raw(own_redis.port) as client:
        cache.set("a", "value")
        seen = noted(cache, Unreadable)
        record = taken(client)
        client.set("t:0::a", changed(record, len(record) - 1, record[-1] ^ 1), px=FOREVER)
        assert cache.get("a") is None
        assert [event.reason for event in seen] == ["signature"]
