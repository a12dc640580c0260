"""Every kind of cache is warmed, and keeps what is newer than a load."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers.redis_servers import flush, free_port

from cachery import Cache, DiskCache, FileBasedCache, InMemoryCache, NamespacedCache, NullCache, RedisCache, TieredCache
from cachery.replication import MemoryLog, ReplicatedCache
from cachery.warmers import CacheWarmer, CallableValueLoader, StaticKeyProvider, WarmingConfig

SECRET = "a secret of tests"
KEYS = [f"key:{number}" for number in range(60)]
ONCE = WarmingConfig(retry_on_failure=False, batch_size=7, ttl="5m", tags=["warm"])


@pytest.fixture(params=["files", "disk", "redis", "tiered", "part", "replicated"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    if request.param in ("redis", "tiered", "part"):
        port = request.getfixturevalue("redis_port")
        flush(port)
        redis = RedisCache(f"redis://localhost:{port}")
        if request.param == "redis":
            return redis
        return TieredCache(InMemoryCache(), redis) if request.param == "tiered" else NamespacedCache(redis, "part")
    if request.param == "files":
        return FileBasedCache(tmp_path / "files", secret=SECRET)
    if request.param == "disk":
        pytest.importorskip("lmdb")
        return DiskCache(tmp_path / "disk", secret=SECRET)
    return ReplicatedCache(InMemoryCache(), MemoryLog(), site="paris", is_started=False)


def test_every_key_is_warmed(cache: Cache) -> None:
    with cache:
        stats = CacheWarmer(cache, StaticKeyProvider(KEYS), CallableValueLoader(str.upper), ONCE).warm()
        assert (stats.keys_warmed, stats.failed) == (60, {})
        assert cache.get_many(KEYS) == {key: key.upper() for key in KEYS}
        assert cache.ttl("key:0") == pytest.approx(300, abs=5)
        cache.invalidate_tags("warm")
        assert cache.get_many(KEYS) == {}


def test_what_is_newer_stays(cache: Cache) -> None:
    def load(key: str) -> str:
        if key == "deleted":
            cache.delete(key)
        elif key == "set":
            cache.set(key, "newer")
        else:
            cache.invalidate_tags("warm")
        return "outdated"

    with cache:
        keys = StaticKeyProvider(["deleted", "set", "tagged"])
        stats = CacheWarmer(cache, keys, CallableValueLoader(load), ONCE).warm()
        assert stats.keys_superseded == 3
        assert cache.get_many(["deleted", "set", "tagged"]) == {"set": "newer"}


def test_a_cache_that_stores_nothing_says_so() -> None:
    stats = CacheWarmer(NullCache(), StaticKeyProvider(["a"]), CallableValueLoader(str), ONCE).warm()
    assert "did not keep it" in stats.failed["a"]


def test_a_server_that_is_away_is_a_reason() -> None:
    with RedisCache(f"redis://localhost:{free_port()}") as cache:
        stats = CacheWarmer(cache, StaticKeyProvider(["a", "b"]), CallableValueLoader(str), ONCE).warm()
        assert (stats.keys_warmed, stats.keys_failed) == (0, 2)
        assert stats.is_complete is False
