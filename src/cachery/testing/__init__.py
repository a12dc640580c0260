"""What tests of caches need: a clock to move by hand, the suite every backend passes, and a look inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.testing.clock import FakeClock
    from cachery.testing.conformance import CacheConformance
    from cachery.testing.invariants import check_invariants

__all__ = ["CacheConformance", "FakeClock", "check_invariants"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "CacheConformance": "cachery.testing.conformance:CacheConformance",
        "FakeClock": "cachery.testing.clock:FakeClock",
        "check_invariants": "cachery.testing.invariants:check_invariants",
    },
)
