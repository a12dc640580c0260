"""Statistics: the numbers of a cache in one line, the hit rate of the last minute, and the most read keys."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: ERA001, INP001, T201

from cachery import CacheManager

mgr = CacheManager(default_ttl=300)  # 5-minute default TTL

cache = mgr.get_cache("sessions", backend="in_memory")

# After some usage...
stats = cache.stats
print(stats.text())
# Output: "Cache: 847/1000 hits (84.7%), 312/1000 entries, 23 evictions"

# Time-windowed hit rate (last 60 seconds)
recent_rate = stats.hit_rate_window(seconds=60.0)

# Find hottest keys for adaptive warming
hot_keys = stats.hottest_keys(n=10)
