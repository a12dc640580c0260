"""The classes of codomyrmex's ``cache.backends``, by the names and constructors that it gives them."""

# The names as codomyrmex's documents give them, with only the import changed.
# fmt: off
# ruff: noqa: INP001, T201

import tempfile

from cachery.backends import FileBasedBackend, FileBasedCache, InMemoryBackend, InMemoryCache, RedisBackend

cache_dir = tempfile.mkdtemp()

for cache in (
    InMemoryBackend(),
    InMemoryCache(max_size=100, default_ttl=60),
    FileBasedBackend(cache_dir),
    FileBasedCache(cache_dir=f"{cache_dir}/values", default_ttl=60),
    RedisBackend("redis://localhost:6379"),
):
    if isinstance(cache, RedisBackend):
        print(type(cache).__name__, "requires running Redis server")
        continue
    cache.set("user:1", {"name": "Ada"}, ttl=30)
    print(type(cache).__name__, cache.get("user:1"), cache.exists("user:1"), cache.get_stats().hits)
    cache.set("user:2", {"name": "Bob"})
    cache.delete("user:1")
    print(cache.delete_pattern("user:*"), cache.clear())
