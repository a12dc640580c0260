"""The suite every backend passes.

A backend's own test is a class with two methods::

    class TestMyCache(CacheConformance):
        def make_cache(self, **options):
            return MyCache(clock=self.clock, **options)

        def advance(self, seconds):
            self.clock.advance(seconds)

``make_cache`` takes ``max_size`` and ``default_ttl``; the suite closes what it made. ``advance`` moves the time the
cache lives in. Needs pytest.
"""

from __future__ import annotations

from cachery.testing.conformance.arguments import ArgumentTests
from cachery.testing.conformance.bounds import BoundTests
from cachery.testing.conformance.closing import ClosingTests
from cachery.testing.conformance.counting import CountingTests
from cachery.testing.conformance.events import EventTests
from cachery.testing.conformance.expiry import ExpiryTests
from cachery.testing.conformance.invalidation import InvalidationTests
from cachery.testing.conformance.loading import LoadingTests
from cachery.testing.conformance.numbers import NumberTests
from cachery.testing.conformance.sources import SourceTests
from cachery.testing.conformance.verbs import VerbTests

__all__ = ["CacheConformance", "ServerConformance"]


class ServerConformance(
    VerbTests,
    ExpiryTests,
    InvalidationTests,
    SourceTests,
    NumberTests,
    CountingTests,
    EventTests,
    LoadingTests,
    ArgumentTests,
    ClosingTests,
):
    """Everything a cache must do on a server that bounds its memory itself. Subclass it as the module says."""

    tells_of_expiry = False


class CacheConformance(ServerConformance, BoundTests):
    """Everything a cache must do. Subclass it as the module says."""

    tells_of_expiry = True
