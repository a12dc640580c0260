"""A TTL manager: a background thread that removes what has expired from the caches registered with it."""

# The example as codomyrmex gives it, with only the import changed and a cache to register made before.
# fmt: off
# ruff: noqa: E402, INP001

from cachery import InMemoryCache

my_cache = InMemoryCache()

from cachery import TTLManager

ttl_mgr = TTLManager(cleanup_interval=60)  # sweep every 60 seconds
ttl_mgr.register_cache(my_cache)           # auto-starts the daemon
