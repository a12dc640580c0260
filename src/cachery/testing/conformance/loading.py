"""Loading through a cache: once, fenced, stale where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cachery.breaker import CircuitBreaker
from cachery.cache import Cache
from cachery.engine.context import LoadContext
from cachery.events import Event, Loaded, LoadFailed, ServedStale
from cachery.exceptions import CacheCircuitOpenError, CacheKeyError, CacheRecursionError, CacheValueError
from cachery.model.sentinels import MISSING
from cachery.testing.conformance.ground import Ground

__all__ = ["LoadingTests"]


def unexpected() -> Any:
    raise AssertionError("there was no need to load")


def _by_keyword(*, context: LoadContext) -> Any:
    return context


class Loads:
    """A loader that counts its calls and returns their number."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


INVALIDATIONS: dict[str, Callable[[Cache], object]] = {
    "delete": lambda cache: cache.delete("a"),
    "delete_many": lambda cache: cache.delete_many(["a"]),
    "set": lambda cache: cache.set("a", "newer"),
    "tag": lambda cache: cache.invalidate_tags("red"),
    "clear": lambda cache: cache.clear(),
}


class LoadingTests(Ground):
    """``get_or_set`` and ``get_many_or_set`` in one thread."""

    def test_loads_what_is_absent_and_keeps_it(self, cache: Cache) -> None:
        loads = Loads()
        assert cache.get_or_set("a", loads) == 1
        assert cache.get_or_set("a", loads) == 1
        assert cache.get("a") == 1
        assert cache.ttl("a") == float("inf")

    @pytest.mark.parametrize("value", [None, False, 0, "", []])
    def test_every_value_is_kept_none_too(self, cache: Cache, value: object) -> None:
        assert cache.get_or_set("a", lambda: value) == value
        assert cache.get("a", MISSING) == value
        assert cache.get_or_set("a", unexpected) == value

    def test_a_ttl_is_kept(self, cache: Cache) -> None:
        loads = Loads()
        cache.get_or_set("a", loads, ttl="10s")
        self.advance(9)
        assert cache.get_or_set("a", loads, ttl="10s") == 1
        self.advance(1)
        assert cache.get_or_set("a", loads, ttl="10s") == 2

    def test_a_ttl_of_nothing_keeps_nothing(self, cache: Cache) -> None:
        assert cache.get_or_set("a", lambda: 1, ttl=0) == 1
        assert not cache.exists("a")

    def test_a_none_may_live_shorter(self, cache: Cache) -> None:
        cache.get_or_set("none", lambda: None, ttl=100, negative_ttl=10)
        cache.get_or_set("some", lambda: 1, ttl=100, negative_ttl=10)
        self.advance(10)
        assert not cache.exists("none")
        assert cache.exists("some")

    def test_what_the_loader_raises_is_raised_and_not_kept(self, cache: Cache) -> None:
        for number in range(2):
            with pytest.raises(ValueError, match=f"failure {number}"):
                cache.get_or_set("a", lambda number=number: (_ for _ in ()).throw(ValueError(f"failure {number}")))
        assert not cache.exists("a")
        assert cache.get_or_set("a", lambda: 1) == 1

    def test_exceptions_are_kept_where_that_is_asked_for(self, cache: Cache) -> None:
        calls: list[int] = []

        def fail() -> None:
            calls.append(1)
            raise LookupError("nobody there")

        for _ in range(3):
            with pytest.raises(LookupError, match="nobody there"):
                cache.get_or_set("a", fail, ttl=10, cache_exceptions=(LookupError,))
        assert len(calls) == 1
        assert cache.get("a", MISSING) is MISSING
        assert not cache.exists("a")
        assert cache.get_or_set("a", lambda: "loaded") == "loaded"
        cache.delete("a")
        self.advance(10)
        with pytest.raises(LookupError):
            cache.get_or_set("a", fail, ttl=10, cache_exceptions=(LookupError,))
        assert len(calls) == 2

    @pytest.mark.parametrize("name", INVALIDATIONS)
    def test_an_invalidation_beats_the_load_that_began_before(self, cache: Cache, name: str) -> None:
        def load() -> str:
            INVALIDATIONS[name](cache)
            return "old"

        assert cache.get_or_set("a", load, tags=["red"]) == "old"
        assert cache.get("a") != "old"

    def test_asking_for_ones_own_key_is_refused(self, cache: Cache) -> None:
        with pytest.raises(CacheRecursionError):
            cache.get_or_set("a", lambda: cache.get_or_set("a", unexpected))
        with pytest.raises(CacheRecursionError):
            cache.get_or_set("a", lambda: cache.get_or_set("b", lambda: cache.get_or_set("a", unexpected)))
        assert cache.get_or_set("a", lambda: cache.get_or_set("b", lambda: 1)) == 1

    def test_a_loader_may_set_ttl_and_tags(self, cache: Cache) -> None:
        def load(context: LoadContext) -> str:
            assert (context.key, context.stale) == ("a", MISSING)
            context.ttl, context.tags = "20s", ["blue"]
            return "value"

        cache.get_or_set("a", load, ttl=10, tags=["red"])
        self.advance(15)
        cache.invalidate_tags("red")
        assert cache.get("a") == "value"
        cache.invalidate_tags("blue")
        assert cache.get("a") is None

    def test_a_tag_that_only_the_loader_knew_is_fenced_too(self, cache: Cache) -> None:
        def load(context: LoadContext) -> str:
            context.tags = ["blue"]
            cache.invalidate_tags("blue")
            return "old"

        assert cache.get_or_set("a", load) == "old"
        assert not cache.exists("a")

    def test_a_value_may_be_not_modified(self, cache: Cache) -> None:
        def load(context: LoadContext) -> object:
            return "first" if context.stale is MISSING else context.not_modified()

        cache.get_or_set("a", load, ttl=10, stale_ttl=10, tags=["red"])
        self.advance(15)
        assert cache.get_or_set("a", load, ttl=10, tags=["red"]) == "first"
        assert cache.get("a") == "first"
        cache.invalidate_tags("red")
        with pytest.raises(CacheValueError, match="no value"):
            cache.get_or_set("b", _not_modified)

    def test_plain_verbs_see_nothing_stale(self, cache: Cache) -> None:
        cache.get_or_set("a", lambda: 1, ttl=10, stale_ttl=100)
        self.advance(10)
        assert cache.get("a") is None
        assert not cache.exists("a")
        assert cache.ttl("a") is None
        assert list(cache.keys()) == []
        assert len(cache) == 0

    def test_a_stale_value_helps_out_when_the_loader_fails(self, cache: Cache) -> None:
        cache.get_or_set("a", lambda: "old", ttl=10, stale_ttl=100)
        self.advance(20)
        options: Any = {"ttl": 10, "stale_ttl": 100, "soft_timeout": 60}
        assert cache.get_or_set("a", _fail, **options) == "old"
        assert cache.get_or_set("a", unexpected, **options) == "old", "the loader is left alone for a TTL"
        self.advance(10)
        assert cache.get_or_set("a", lambda: "new", **options) == "new"

    def test_a_refresh_that_fails_harms_no_fresh_value(self, cache: Cache) -> None:
        calls: list[int] = []

        def fail() -> None:
            calls.append(1)
            raise LookupError("nobody there")

        options: Any = {"ttl": 100, "refresh_ahead": 0.5, "cache_exceptions": (LookupError,)}
        cache.get_or_set("a", lambda: "old", **options)
        self.advance(60)
        for _ in range(3):
            assert cache.get_or_set("a", fail, **options) == "old"
            self.settle(cache)
        assert cache.get("a") == "old"
        assert len(calls) == 1, "the loader is left alone for a while"

    def test_past_its_stale_ttl_nothing_helps_out(self, cache: Cache) -> None:
        cache.get_or_set("a", lambda: "old", ttl=10, stale_ttl=20)
        self.advance(30)
        with pytest.raises(OSError, match="down"):
            cache.get_or_set("a", _fail, ttl=10, stale_ttl=20)

    def test_what_is_invalidated_is_not_served_stale(self, cache: Cache) -> None:
        for invalidate in (lambda: cache.delete("a"), lambda: cache.invalidate_tags("red"), cache.clear):
            cache.get_or_set("a", lambda: "old", ttl=10, stale_ttl=100, tags=["red"])
            self.advance(20)
            invalidate()
            assert cache.get_or_set("a", lambda: "new", ttl=10, stale_ttl=100, soft_timeout=60) == "new"
            cache.clear()

    def test_jitter_only_shortens(self, cache: Cache) -> None:
        for number in range(50):
            cache.get_or_set(str(number), lambda: 1, ttl=100, jitter=0.5)
        lives = [cache.ttl(str(number)) or 0.0 for number in range(50)]
        assert all(49 <= life <= 100 for life in lives)
        assert len(set(lives)) > 1

    def test_many_by_one_call(self, cache: Cache) -> None:
        asked: list[list[str]] = []

        def load(keys: list[str]) -> dict[str, str]:
            asked.append(keys)
            return {key: key.upper() for key in keys if key != "x"}

        cache.set("a", 1)
        assert cache.get_many_or_set(["a", "b", "c", "x", "b"], load, ttl=10) == {"a": 1, "b": "B", "c": "C"}
        assert asked == [["b", "c", "x"]]
        assert cache.get("c") == "C"
        assert not cache.exists("x")
        assert cache.get_many_or_set([], load) == {}
        assert cache.get_many_or_set(["a", "b"], load) == {"a": 1, "b": "B"}
        assert len(asked) == 1

    def test_many_are_fenced_each(self, cache: Cache) -> None:
        def load(keys: list[str]) -> dict[str, str]:
            cache.delete("a")
            return dict.fromkeys(keys, "old")

        assert cache.get_many_or_set(["a", "b"], load) == {"a": "old", "b": "old"}
        assert cache.get_many(["a", "b"]) == {"b": "old"}

    def test_a_loader_of_many_that_fails_or_returns_nonsense(self, cache: Cache) -> None:
        with pytest.raises(OSError, match="down"):
            cache.get_many_or_set(["a", "b"], lambda _: _fail())
        with pytest.raises(CacheValueError, match="mapping"):
            cache.get_many_or_set(["a", "b"], lambda _: ["A", "B"])  # type: ignore[arg-type, return-value]
        assert cache.get_many_or_set(["a"], lambda _: {"a": 1, "more": 2}) == {"a": 1}
        assert not cache.exists("more")

    def test_of_many_only_what_was_loaded_counts(self, cache: Cache) -> None:
        cache.get_many_or_set(["a", "b", "x"], lambda _: {"a": 1, "b": 2})
        with pytest.raises(CacheValueError, match="mapping"):
            cache.get_many_or_set(["c"], lambda _: [1])  # type: ignore[arg-type, return-value]
        assert (cache.stats.load_success, cache.stats.load_failure) == (2, 1)

    def test_an_open_breaker_is_not_kept_for_an_answer(self, cache: Cache) -> None:
        breaker = CircuitBreaker(failure_threshold=1, recovery_time=10, clock=self.clock)
        options: Any = {"ttl": 1000, "cache_exceptions": (Exception,), "breaker": breaker}
        with pytest.raises(OSError, match="down"):
            cache.get_or_set("a", _fail, **options)
        with pytest.raises(CacheCircuitOpenError):
            cache.get_or_set("b", unexpected, **options)
        self.clock.advance(10)
        assert cache.get_or_set("b", lambda: 1, **options) == 1

    def test_loads_are_counted(self, cache: Cache) -> None:
        cache.get_or_set("a", lambda: 1)
        cache.get_or_set("a", lambda: 1)
        with pytest.raises(OSError, match="down"):
            cache.get_or_set("b", _fail)
        stats = cache.stats
        assert (stats.hits, stats.misses) == (1, 2)
        assert (stats.load_success, stats.load_failure, stats.stale_hits, stats.coalesced) == (1, 1, 0, 0)

    def test_loads_are_reported(self, cache: Cache) -> None:
        seen: list[Event] = []
        cache.subscribe(seen.append)
        cache.get_or_set("a", lambda: 1, ttl=10, stale_ttl=100)
        self.advance(10)
        cache.get_or_set("a", _fail, ttl=10, stale_ttl=100, soft_timeout=60)
        loaded = [event for event in seen if isinstance(event, Loaded)]
        failed = [event for event in seen if isinstance(event, LoadFailed)]
        assert [(event.key, event.duration >= 0) for event in loaded] == [("a", True)]
        assert [(event.key, event.error) for event in failed] == [("a", "OSError")]
        assert [event.key for event in seen if isinstance(event, ServedStale)] == ["a"]

    @pytest.mark.parametrize("key", [None, 1, b"a", ("a",)])
    def test_a_key_that_is_no_text_is_refused(self, cache: Cache, key: Any) -> None:
        with pytest.raises(CacheKeyError):
            cache.get_or_set(key, unexpected)

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"soft_timeout": 1}, "stale_ttl"),
            ({"soft_timeout": 2, "hard_timeout": 1, "stale_ttl": 9}, "longer than hard_timeout"),
            ({"refresh_ahead": 0}, "refresh_ahead"),
            ({"refresh_ahead": 1.5}, "refresh_ahead"),
            ({"refresh_ahead": True}, "refresh_ahead"),
            ({"jitter": -0.1}, "jitter"),
            ({"jitter": float("nan")}, "jitter"),
            ({"stale_ttl": 0}, "stale_ttl"),
            ({"stale_ttl": "soon"}, "stale_ttl"),
            ({"hard_timeout": -1}, "hard_timeout"),
            ({"negative_ttl": float("nan")}, "negative_ttl"),
            ({"ttl": True}, "ttl"),
            ({"ttl": []}, "ttl"),
            ({"cache_exceptions": ValueError("an instance")}, "cache_exceptions"),
            ({"cache_exceptions": (KeyboardInterrupt,)}, "cache_exceptions"),
            ({"tags": "red"}, "tags"),
            ({"breaker": "open"}, "breaker"),
        ],
    )
    def test_options_that_make_no_sense_are_refused(self, cache: Cache, options: Any, match: str) -> None:
        with pytest.raises(CacheValueError, match=match):
            cache.get_or_set("a", unexpected, **options)
        with pytest.raises(CacheValueError, match=match):
            cache.get_many_or_set(["a"], lambda _: unexpected(), **options)

    def test_an_option_there_is_not_is_refused(self, cache: Cache) -> None:
        with pytest.raises(TypeError, match="stale"):
            cache.get_or_set("a", unexpected, stale=1)  # type: ignore[call-arg]

    def test_a_context_may_have_a_default(self, cache: Cache) -> None:
        def load(context: LoadContext | None = None) -> str:
            assert context is not None
            return context.key

        assert cache.get_or_set("a", load) == "a"

    @pytest.mark.parametrize("loader", [None, 7, lambda needed: needed, _by_keyword])
    def test_a_loader_that_cannot_be_called_is_refused(self, cache: Cache, loader: Any) -> None:
        with pytest.raises(CacheValueError, match="loader"):
            cache.get_or_set("a", loader)
        if not callable(loader):
            with pytest.raises(CacheValueError, match="loader"):
                cache.get_many_or_set(["a"], loader)

    def settle(self, cache: Cache) -> None:
        """Let what is loaded in the background end."""
        assert cache.drain(30)


def _fail() -> Any:
    raise OSError("the source is down")


def _not_modified(context: LoadContext) -> Any:
    return context.not_modified()
