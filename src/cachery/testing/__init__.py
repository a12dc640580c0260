"""What tests of caches need: a clock to move by hand, the suite every backend passes, and a look inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.testing.assertions import assert_cached
    from cachery.testing.chaos import ChaosCache, Delay, Fail, Hang
    from cachery.testing.clock import FakeClock
    from cachery.testing.conformance import CacheConformance, ServerConformance
    from cachery.testing.conformance.aio import AsyncCacheConformance, AsyncServerConformance
    from cachery.testing.invariants import check_invariants
    from cachery.testing.loop_thread import LoopThread
    from cachery.testing.proxy import TcpProxy
    from cachery.testing.switch import caching_off

__all__ = [
    "AsyncCacheConformance",
    "AsyncServerConformance",
    "CacheConformance",
    "ChaosCache",
    "Delay",
    "Fail",
    "FakeClock",
    "Hang",
    "LoopThread",
    "ServerConformance",
    "TcpProxy",
    "assert_cached",
    "caching_off",
    "check_invariants",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AsyncCacheConformance": "cachery.testing.conformance.aio:AsyncCacheConformance",
        "AsyncServerConformance": "cachery.testing.conformance.aio:AsyncServerConformance",
        "CacheConformance": "cachery.testing.conformance:CacheConformance",
        "ChaosCache": "cachery.testing.chaos:ChaosCache",
        "Delay": "cachery.testing.chaos:Delay",
        "Fail": "cachery.testing.chaos:Fail",
        "FakeClock": "cachery.testing.clock:FakeClock",
        "Hang": "cachery.testing.chaos:Hang",
        "LoopThread": "cachery.testing.loop_thread:LoopThread",
        "ServerConformance": "cachery.testing.conformance:ServerConformance",
        "TcpProxy": "cachery.testing.proxy:TcpProxy",
        "assert_cached": "cachery.testing.assertions:assert_cached",
        "caching_off": "cachery.testing.switch:caching_off",
        "check_invariants": "cachery.testing.invariants:check_invariants",
    },
)
