"""What one site does, the others see, in the order of the log."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replication.sites import FlakyLog, contents, made, send, settle

from cachery import CacheClosedError, CacheConnectionError, CacheValueError, InMemoryCache, NamespacedCache
from cachery.events import Event, Unreadable
from cachery.replication import MemoryLog, ReplicatedCache
from cachery.replication.wire import Message
from cachery.testing import FakeClock

FIELDS = [*Message.__slots__, "codes", "unknown"]
SECRET = "a secret of tests"


def test_every_verb_reaches_the_other_site(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set("set", 1)
    paris.set_many({"many": 2, "gone": 3, "gone too": 3})
    paris.add("add", 4)
    paris.incr("incr", 5)
    paris.decr("incr", 1)
    paris.delete("gone")
    paris.delete_many(["gone too"])
    paris.get_or_set("loaded", lambda: 6)
    paris.get_many_or_set(["loads"], lambda keys: dict.fromkeys(keys, 7))
    paris.cached(key="decorated:{n}")(lambda n: n)(8)
    settle(paris, tokyo)
    expected = {"set": 1, "many": 2, "add": 4, "incr": 4, "loaded": 6, "loads": 7, "decorated:8": 8}
    assert contents(paris) == contents(tokyo) == dict(sorted(expected.items()))


def test_a_namespace_of_it_is_replicated(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    here, there = NamespacedCache(paris, "part"), NamespacedCache(tokyo, "part")
    here.set("a", 1, tags=["tag"])
    here.get_or_set("b", lambda: 2, tags=["tag"])
    settle(paris, tokyo)
    assert there.get_many(["a", "b"]) == {"a": 1, "b": 2}
    there.invalidate_tags("tag")
    settle(paris, tokyo)
    assert here.get_many(["a", "b"]) == {}


def test_patterns_tags_and_clearing_reach_the_other_site(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    tokyo.set_many({"a1": 1, "a2": 1, "b1": 1})
    tokyo.set("c", 1, tags=["tag"])
    settle(paris, tokyo)
    paris.delete_pattern("a*")
    paris.invalidate_tags("tag")
    settle(paris, tokyo)
    assert contents(paris) == contents(tokyo) == {"b1": 1}
    paris.clear()
    settle(paris, tokyo)
    assert contents(paris) == contents(tokyo) == {}


def test_the_later_in_the_log_stays(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set("key", "paris")
    tokyo.set("key", "tokyo")
    send(tokyo)
    send(paris)
    tokyo.replica.follow()
    paris.replica.follow()
    assert contents(paris) == contents(tokyo) == {"key": "paris"}
    assert paris.replica.skipped == 1


def test_what_is_not_told_yet_wins_for_now(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    tokyo.set("key", "tokyo")
    send(tokyo)
    paris.set("key", "paris")
    paris.replica.follow()
    assert paris.get("key") == "paris"
    settle(paris, tokyo)
    assert tokyo.get("key") == "paris"


def test_what_one_site_does_not_hold_it_can_delete_at_the_others(log: FlakyLog, paris: ReplicatedCache) -> None:
    paris.set("key", 1)
    settle(paris)
    tokyo = made(log, site="tokyo")
    assert tokyo.delete("key") is False
    settle(paris, tokyo)
    assert paris.get("key") is None


def test_seconds_travel_and_those_in_the_log_count(log: FlakyLog) -> None:
    clock = FakeClock(5.0)
    paris, tokyo = made(log, site="paris"), made(log, site="tokyo", cache=InMemoryCache(clock=clock))
    paris.set("short", 1, ttl=10)
    paris.set("long", 1, ttl=100)
    paris.set("for ever", 1)
    send(paris)
    log.clock.advance(20)
    tokyo.replica.follow()
    left: Any = {key: tokyo.ttl(key) for key in ("short", "long", "for ever")}
    assert left == {"short": None, "long": pytest.approx(80, abs=1), "for ever": math.inf}
    assert tokyo.replica.lag == pytest.approx(20, abs=0.01)


def test_a_touch_travels_and_keeps_the_tags(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set("key", 1, tags=["tag"])
    paris.touch("key", 100)
    assert paris.touch("absent") is False
    settle(paris, tokyo)
    assert tokyo.ttl("key") == pytest.approx(100, abs=1)
    tokyo.invalidate_tags("tag")
    settle(paris, tokyo)
    assert paris.exists("key") is False


def test_a_stale_value_is_stale_there_too(log: FlakyLog) -> None:
    clock = FakeClock()
    paris = made(log, site="paris", cache=InMemoryCache(clock=clock))
    tokyo = made(log, site="tokyo", cache=InMemoryCache(clock=clock))
    paris.get_or_set("key", lambda: "old", ttl=10, stale_ttl=50)
    settle(paris, tokyo)
    clock.advance(20)
    assert tokyo.get_or_set("key", lambda: "new", ttl=10, stale_ttl=50) == "old"
    assert tokyo.drain()


def test_a_load_is_overtaken_by_another_site(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    tokyo.set("key", "newer")
    send(tokyo)

    def load() -> str:
        paris.replica.follow()
        return "older"

    assert paris.get_or_set("key", load) == "older"
    settle(paris, tokyo)
    assert contents(paris) == contents(tokyo) == {"key": "newer"}


def test_a_remembered_failure_stays_at_its_site(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    tokyo.set("key", 1)

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        paris.get_or_set("key", fail, cache_exceptions=(LookupError,), negative_ttl=60)
    settle(paris, tokyo)
    assert tokyo.get("key") == 1


def test_a_listener_that_writes_is_in_the_right_order(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    def react(event: Event) -> None:
        if getattr(event, "cause", "") == "clear":
            paris.set("cleared", 1)

    paris.subscribe(react)
    paris.clear()
    settle(paris, tokyo)
    assert contents(paris) == contents(tokyo) == {"cleared": 1}


def test_a_change_that_was_refused_is_told_to_nobody(paris: ReplicatedCache) -> None:
    with pytest.raises(CacheValueError):
        paris.set("key", 1, ttl="soon")
    assert paris.add("key", 1, ttl=0) is False
    assert paris.replica.pending == 0


def test_an_interrupt_leaves_nothing_untold(paris: ReplicatedCache) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paris.replica.change("key", ["a"], interrupt)
    assert paris.replica.pending == 1


def test_many_changes_of_one_key_are_told_once(log: FlakyLog, paris: ReplicatedCache) -> None:
    for number in range(100):
        paris.set("key", number)
    assert paris.replica.pending == 1
    before = log.state().added
    settle(paris)
    assert log.state().added == before + 1


def test_a_value_that_cannot_travel_is_gone_elsewhere(
    paris: ReplicatedCache, tokyo: ReplicatedCache, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Event] = []
    end = paris.subscribe(heard.append)
    paris.set("key", 1)
    settle(paris, tokyo)
    paris.set("key", {1, 2})
    with caplog.at_level(logging.WARNING, "cachery"):
        settle(paris, tokyo)
    assert (paris.get("key"), tokyo.get("key")) == ({1, 2}, None)
    assert Unreadable(None, "key", "value") in heard
    assert "cannot be sent" in caplog.text
    end()
    end()


def test_a_value_that_cannot_be_read_is_gone_and_reported(log: FlakyLog, caplog: pytest.LogCaptureFixture) -> None:
    paris, tokyo = made(log, site="paris"), made(log, site="tokyo", serializer="msgpack")
    heard: list[Event] = []
    tokyo.subscribe(heard.append)
    paris.set("key", "text")
    with caplog.at_level(logging.WARNING, "cachery"):
        settle(paris, tokyo)
    assert Unreadable(None, "key", "serializer") in heard
    assert (tokyo.get("key"), tokyo.replica.unreadable) == (None, 1)
    assert "'paris'" in caplog.text


@pytest.mark.parametrize("secret", ["another secret of tests", None])
def test_what_another_secret_signed_is_not_believed(log: FlakyLog, secret: str | None) -> None:
    paris, tokyo = made(log, site="paris", secret=secret), made(log, site="tokyo", secret=SECRET)
    tokyo.set("key", "ours")
    paris.clear()
    paris.set("key", "theirs")
    settle(tokyo, paris)
    assert tokyo.get("key") == "ours"
    assert tokyo.replica.unreadable == 2


def test_what_was_signed_and_changed_is_not_believed(log: FlakyLog) -> None:
    paris, tokyo = made(log, site="paris", secret=SECRET), made(log, site="tokyo", secret=SECRET)
    paris.set("key", "true")
    send(paris)
    identifier, record = log._records[-1]
    log._records[-1] = (identifier, {**record, "value": b'"false"'})
    tokyo.replica.follow()
    assert (tokyo.get("key"), tokyo.replica.unreadable) == (None, 1)


@pytest.mark.parametrize(
    "record", [{}, {"head": b"[]", "value": b""}, {"head": b"{", "value": b""}, {"head": b"{}", "value": b""}]
)
def test_a_record_of_another_kind_is_passed_by(log: FlakyLog, paris: ReplicatedCache, record: dict[str, bytes]) -> None:
    log.append([record])
    paris.replica.follow()
    assert paris.replica.unreadable == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["set", "offer", "page", "1-1", "tag"]),
    lambda parts: st.lists(parts, max_size=4),
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(["set", "delete", "pattern", "offer", "page"]))
def test_no_record_ends_the_following(head: dict[str, Any], kind: str) -> None:
    log = FlakyLog()
    site = made(log)
    known = {"kind": kind, "site": "s", "writer": "w", "number": 1, "codes": [2, 0, 0]}
    log.append([{"head": json.dumps(known | head).encode(), "value": b"1"}, {"head": b"{}", "value": b""}])
    assert site.replica.follow() == 2
    assert site.replica.behind == 0


def test_values_travel_compressed_and_encrypted(log: FlakyLog) -> None:
    options: dict[str, Any] = {"compression": "zlib", "encryption": "a key of tests, long enough", "secret": SECRET}
    paris, tokyo = made(log, site="paris", **options), made(log, site="tokyo", **options)
    paris.set("key", "text " * 1000)
    settle(paris, tokyo)
    assert tokyo.get("key") == "text " * 1000
    assert all(b"text" not in record["value"] for _, record in log._records)


def test_keys_are_any_text(paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    keys = ["", "é", "\ud800", "\0", "a" * 10_000]
    paris.set_many(dict.fromkeys(keys, 1))
    settle(paris, tokyo)
    assert sorted(tokyo.keys()) == sorted(keys)


def test_an_append_without_an_answer_is_repeated_and_harms_nothing(
    log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache
) -> None:
    log.plan = ["not answered"]
    paris.set("key", "paris")
    send(paris)
    tokyo.replica.follow()
    tokyo.set("key", "tokyo")
    send(tokyo)
    settle(paris, tokyo)
    assert contents(paris) == contents(tokyo)


def test_beyond_the_outbox_all_forget(log: FlakyLog, tokyo: ReplicatedCache, caplog: pytest.LogCaptureFixture) -> None:
    paris = made(log, site="paris", outbox_size=3)
    tokyo.set("old", 1)
    settle(paris, tokyo)
    paris.set_many(dict.fromkeys("abcd", 1))
    paris.delete("old")
    assert paris.replica.is_overflowed
    assert paris.get("a") == 1
    with caplog.at_level(logging.WARNING, "cachery"):
        settle(paris, tokyo)
    assert contents(paris) == contents(tokyo) == {}
    assert "all sites forget everything" in caplog.text
    assert not paris.replica.is_overflowed


def test_what_it_tells_about_itself(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set_many({"a": 1, "b": 2})
    assert paris.replica.pending == 2
    send(paris)
    assert (paris.replica.pending, tokyo.replica.applied) == (0, 0)
    tokyo.replica.follow()
    assert (tokyo.replica.applied, tokyo.replica.behind) == (2, 0)
    assert tokyo.replica.position == f"{log.state().last} 2 {log.state().generation}"
    assert "tokyo" in repr(tokyo)
    assert "0 behind" in repr(tokyo.replica)
    assert (tokyo.name, tokyo.max_size, tokyo.clock) == (None, 1000, None)


def test_who_is_not_started_does_not_catch_up(paris: ReplicatedCache) -> None:
    paris.set("key", 1)
    assert paris.replica.wait_until_caught_up(0) is False
    settle(paris)
    assert paris.replica.wait_until_caught_up(0) is True


@pytest.mark.parametrize(
    "options",
    [
        {"site": ""},
        {"site": 1},
        {"outbox_size": 0},
        {"outbox_size": True},
        {"position": "here"},
        {"serializer": "pickle"},
        {"serializer": 1},
        {"snapshot_timeout": "soon"},
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        ReplicatedCache(InMemoryCache(), MemoryLog(), **{"site": "here", **options})


def test_only_whole_caches_are_replicated() -> None:
    with pytest.raises(CacheValueError, match="whole cache"):
        ReplicatedCache(NamespacedCache(InMemoryCache(), "part"), MemoryLog(), site="here")
    with pytest.raises(CacheValueError, match="not dict"):
        ReplicatedCache({}, MemoryLog(), site="here")  # type: ignore[arg-type]


def test_a_closed_one_is_not_started(paris: ReplicatedCache) -> None:
    paris.close()
    paris.close()
    with pytest.raises(CacheClosedError):
        paris.start()


def test_a_log_that_is_away_is_away(log: FlakyLog, paris: ReplicatedCache) -> None:
    log.plan = ["not sent"]
    paris.set("key", 1)
    with pytest.raises(CacheConnectionError):
        paris.replica.send()
    assert paris.replica.pending == 1
