"""The file of a snapshot: who may read it, what is left out, and that no damage gives a wrong value."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.backends.in_memory.ground import SECRET, Closing, live

from cachery import CacheClosedError, CacheConnectionError, CacheFullError, CacheValueError, InMemoryCache
from cachery.events import Event as CacheEvent
from cachery.events import Stored, Unreadable
from cachery.testing import FakeClock, check_invariants


def test_only_this_user_can_read_it_and_a_failure_leaves_the_old_one(place: Path) -> None:
    place.write_text("old")
    cache = InMemoryCache()
    cache.set("a", 1)
    cache.snapshot(str(place))
    if os.name == "posix":
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    before = place.read_bytes()
    cache.set("b", Closing(cache))
    with pytest.raises(CacheClosedError):
        cache.snapshot(place)
    assert place.read_bytes() == before
    assert list(place.parent.iterdir()) == [place]


def test_places_that_are_none(tmp_path: Path) -> None:
    cache = InMemoryCache()
    for verb in (cache.snapshot, cache.restore):
        for path in ("", None, 7, b"bytes", "a\0b"):
            with pytest.raises(CacheValueError, match="path is that of a file"):
                verb(path)  # type: ignore[arg-type]
        for place in (tmp_path, tmp_path / "none" / "some"):
            with pytest.raises(CacheConnectionError, match=r"cannot (read|write)"):
                verb(place)
    with pytest.raises(CacheConnectionError, match=r"cannot read .*: No such file"):
        cache.restore(tmp_path / "none")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(place: Path) -> None:
    os.mkfifo(place)
    with pytest.raises(CacheConnectionError, match="no plain file"):
        InMemoryCache().restore(place)


@pytest.mark.parametrize("content", [b"", b"some text", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_no_snapshot(content: bytes, place: Path) -> None:
    place.write_bytes(content)
    with pytest.raises(CacheValueError, match="is no snapshot"):
        InMemoryCache().restore(place)


def test_a_snapshot_of_a_later_release(place: Path) -> None:
    InMemoryCache().snapshot(place)
    data = place.read_bytes()
    place.write_bytes(data[:8] + b"\x02" + data[9:])
    with pytest.raises(CacheValueError, match="version 2, and this release reads 1"):
        InMemoryCache().restore(place)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"serializer": "xml"}, CacheValueError),
        ({"secret": "short"}, CacheValueError),
        ({"compression": "rar"}, CacheValueError),
        ({"max_value_bytes": "much"}, CacheValueError),
        ({"clock": 7}, CacheValueError),
        ({"colour": "red"}, TypeError),
    ],
)
def test_options_that_are_none(options: Any, wrong: type[Exception], place: Path) -> None:
    cache = InMemoryCache()
    for verb in (cache.snapshot, cache.restore):
        with pytest.raises(wrong):
            verb(place, **options)
    assert not place.exists()


@pytest.mark.parametrize(
    "options",
    [
        {"serializer": "json"},
        {"serializer": "json", "compression": "zlib", "compression_threshold": 10},
        {"serializer": "pickle", "secret": SECRET},
        {"secret": ["a newer secret of tests", SECRET]},
    ],
)
def test_options(options: Any, place: Path) -> None:
    cache = InMemoryCache(name="some")
    values = {"text": "é" * 1000, "number": 2**80, "list": [1, None, {"a": 1.5}], "key \ud800": True}
    cache.set_many(values)
    cache.snapshot(place, **options)
    new = InMemoryCache(name="some")
    assert new.restore(place, **options) == 4
    assert live(new) == values


def test_what_cannot_be_written_is_left_out(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = InMemoryCache()
    cache.set_many({"a": 1, "bad": lambda: 1, "large": "x" * 2000, "worse": Event(), "b": 2})
    assert cache.snapshot(place, max_value_bytes=1000) == 2
    assert len(caplog.records) == 1
    assert "3 entries of <InMemoryCache" in caplog.text
    assert "bad" not in caplog.text
    new = InMemoryCache()
    assert new.restore(place) == 2
    assert live(new) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("written", "read", "reason", "cure"),
    [
        ({"secret": SECRET}, {"secret": "another secret, long too"}, "secret", "CACHERY_SECRET"),
        ({"serializer": "json"}, {"serializer": "pickle"}, "serializer", "serializer="),
        ({"compression": "zlib", "compression_threshold": 1}, {}, "compression", "compression="),
    ],
)
def test_what_cannot_be_read_is_left_out(
    written: Any, read: Any, reason: str, cure: str, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache, new = InMemoryCache(), InMemoryCache(name=None)
    cache.set_many({"a": "x" * 100, "b": "y" * 100})
    cache.snapshot(place, **written)
    heard: list[CacheEvent] = []
    new.subscribe(heard.append)
    assert new.restore(place, **read) == 0
    assert sorted(heard, key=str) == [Unreadable(None, "a", reason), Unreadable(None, "b", reason)]
    assert len(caplog.records) == 1
    assert cure in caplog.text
    assert new.restore(place, **written) == 2
    assert heard[2:] == [Stored(None, "b"), Stored(None, "a")]


def test_a_cache_of_another_name_reads_nothing(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = InMemoryCache(name="one")
    cache.set("a", 1)
    cache.snapshot(place)
    assert InMemoryCache(name="other").restore(place) == InMemoryCache().restore(place) == 0
    assert "another name=" in caplog.text
    assert InMemoryCache(name="one").restore(place) == 1


class Gone:
    """A class that is gone when the snapshot is restored."""


def test_a_class_that_is_gone(place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    cache, new = InMemoryCache(), InMemoryCache()
    cache.set("bad", Gone())
    cache.set("a", 1)
    cache.snapshot(place)
    monkeypatch.delitem(globals(), "Gone")
    assert new.restore(place) == 1
    assert "has changed or is gone" in caplog.text


def damaged(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 97):
        yield data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def small(place: Path) -> dict[str, Any]:
    clock = FakeClock()
    cache = InMemoryCache(clock=clock)
    values = {f"key {number}": [number, "x" * number] for number in range(40)}
    for number, (key, value) in enumerate(values.items()):
        cache.set(key, value, ttl=1000 + number, tags=["red"] * (number % 2))
    cache.snapshot(place, clock=clock)
    return values


def test_damage_never_gives_a_wrong_value(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    values = small(place)
    restored = []
    for number, data in enumerate(damaged(place.read_bytes())):
        caplog.clear()
        place.write_bytes(data)
        cache = InMemoryCache()
        try:
            restored.append(cache.restore(place, clock=FakeClock()))
        except CacheValueError:
            assert number == 0  # the magic
            continue
        found = live(cache)
        assert found.items() <= values.items()
        assert len(found) == restored[-1] < 40 or "cut short" in caplog.text
        assert caplog.records
        check_invariants(cache)
    assert restored.count(39) > len(restored) // 2, "one damaged entry harms no other"


def test_what_is_whole_of_a_file_that_was_cut_short_is_restored(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    values = small(place)
    data = place.read_bytes()
    counts = []
    for size in range(8, len(data), 13):
        caplog.clear()
        place.write_bytes(data[:size])
        cache = InMemoryCache()
        counts.append(cache.restore(place, clock=FakeClock()))
        assert live(cache).items() <= values.items()
        assert "cut short" in caplog.text
    assert counts == sorted(counts)
    assert counts[-1] == 40
    place.write_bytes(data + b"more")
    caplog.clear()
    assert InMemoryCache().restore(place, clock=FakeClock()) == 40
    assert "cut short" in caplog.text


def test_parts_of_another_snapshot_are_refused(place: Path, tmp_path: Path) -> None:
    """Two snapshots of one cache, and the second entry of the older one in the place of that of the newer."""
    cache = InMemoryCache()
    cache.set_many({"a": "old", "b": "old"})
    cache.snapshot(tmp_path / "old")
    cache.set_many({"a": "new", "b": "new"})
    cache.snapshot(place)
    old, new = (tmp_path / "old").read_bytes(), place.read_bytes()
    assert len(old) == len(new)
    middle = len(new) // 2 + 20
    place.write_bytes(new[:middle] + old[middle:])
    restored = InMemoryCache()
    restored.restore(place)
    assert "old" not in live(restored).values()


def test_a_failing_disk_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = InMemoryCache()
    cache.set("a", "x" * 100)

    def fail(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CacheFullError, match="No space left"):
        cache.snapshot(place)
    assert not list(place.parent.iterdir())
