"""What a cache tells those who subscribed."""

from __future__ import annotations

import logging

import pytest

from cachery.cache import Cache
from cachery.events import Event, Expired, Hit, Invalidated, Miss, Stored
from cachery.exceptions import CacheValueError
from cachery.testing.conformance.ground import Ground

__all__ = ["EventTests", "events_of"]


def events_of(cache: Cache) -> list[tuple[object, ...]]:
    """Return a list that fills with the class and the fields, but for the cache's name, of each event."""
    seen: list[tuple[object, ...]] = []

    def note(event: Event) -> None:
        fields = [getattr(event, name) for name in type(event).__slots__]
        seen.append((type(event), *fields))

    cache.subscribe(note)
    return seen


class EventTests(Ground):
    """One record a fact, after the fact."""

    def test_reading_and_writing(self, cache: Cache) -> None:
        seen = events_of(cache)
        cache.set("a", 1)
        cache.get("a")
        cache.get("b")
        assert seen == [(Stored, "a"), (Hit, "a"), (Miss, "b")]

    def test_expiry(self, cache: Cache) -> None:
        cache.set("a", 1, ttl=10)
        cache.set("b", 1, ttl=10)
        seen = events_of(cache)
        self.advance(10)
        cache.get("a")
        cache.cleanup_expired()
        told = [(Expired, "a"), (Miss, "a"), (Expired, "b")]
        assert seen == (told if self.tells_of_expiry else [(Miss, "a")])

    def test_invalidations_name_cause_and_target(self, cache: Cache) -> None:
        cache.set_many(dict.fromkeys("abc", 1))
        seen = events_of(cache)
        cache.delete("a")
        cache.delete("a")
        cache.delete_pattern("b*")
        cache.invalidate_tags("red", "blue")
        cache.clear()
        assert [fact for fact in seen if fact[0] is Invalidated] == [
            (Invalidated, "delete", "a"),
            (Invalidated, "pattern", "b*"),
            (Invalidated, "tag", "red"),
            (Invalidated, "tag", "blue"),
            (Invalidated, "clear", ""),
        ]

    def test_one_may_stop_listening(self, cache: Cache) -> None:
        heard: list[Event] = []
        unsubscribe = cache.subscribe(heard.append)
        others: list[Event] = []
        cache.subscribe(others.append)
        cache.set("a", 1)
        unsubscribe()
        unsubscribe()
        cache.set("b", 1)
        assert len(heard) == 1
        assert len(others) == 2

    def test_a_failing_listener_harms_nobody(self, cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
        def fail(event: Event) -> None:
            raise RuntimeError(f"cannot hear {event}")

        cache.subscribe(fail)
        seen = events_of(cache)
        with caplog.at_level(logging.ERROR, logger="cachery"):
            assert cache.set("a", 1) is True
            assert cache.get("a") == 1
        assert seen == [(Stored, "a"), (Hit, "a")]
        assert len(caplog.records) == 2

    def test_a_listener_may_use_the_cache(self, cache: Cache) -> None:
        def store_beside(event: Event) -> None:
            if isinstance(event, Miss) and not event.key.startswith("missed "):
                cache.set(f"missed {event.key}", 1)

        cache.subscribe(store_beside)
        assert cache.get("a") is None
        assert cache.exists("missed a")

    def test_a_listener_that_cannot_be_called_is_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheValueError, match="listener"):
            cache.subscribe("not a function")  # type: ignore[arg-type]
