"""A cache of blocking code, used in a coroutine: get, set and invalidate never block the event loop."""

# codomyrmex names the sub-module and what it is for; these are its operations.
# ruff: noqa: INP001, T201

from __future__ import annotations

import asyncio

from cachery import get_cache
from cachery.async_ops import AsyncCache


async def main() -> None:
    """Store, read and invalidate, one key and many."""
    cache = AsyncCache(get_cache("workflow", backend="file_based"))
    await cache.set("plan:step:1", {"status": "done"}, ttl=600, tags=["plan"])
    await cache.set_many({f"agent:{number}": number for number in range(100)}, concurrency=4)
    print(await cache.get("plan:step:1"), len(await cache.get_many([f"agent:{n}" for n in range(100)])))
    print(await cache.invalidate("agent:0", tags=["plan"], pattern="agent:1*"), await cache.get("plan:step:1"))


asyncio.run(main())
