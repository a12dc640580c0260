"""State that agents share over Redis, or keep in memory while there is none."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: INP001

from cachery import CacheManager

mgr = CacheManager()
cache = mgr.get_cache("shared_agent_state", backend="redis")

# Agent A writes a shared result
cache.set("task:review:file_list", [
    "src/codomyrmex/cache/cache.py",
    "src/codomyrmex/cache/cache_manager.py",
], ttl=120)

# Agent B reads the shared result
files = cache.get("task:review:file_list")
