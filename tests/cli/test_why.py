"""``cachery why``: the state of an entry, and what is known of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import json_of, run

from cachery import DiskCache, FileBasedCache, RedisCache
from cachery.invalidation import Key, Version
from cachery.serializers.describing import serializer_name
from cachery.serializers.pipeline import Codec, Recipe
from cachery.serializers.registry import SERIALIZERS, create_serializer
from cachery.stored import StoredCache

pytestmark = pytest.mark.usefixtures("place")

Make = Callable[..., StoredCache]
KINDS: dict[str, Any] = {"disk": DiskCache, "file_based": FileBasedCache}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, place: Path) -> Make:
    """Return what opens the cache in ``mine``."""
    kind: Make = KINDS[request.param]
    return lambda **options: kind(place / "mine", name="mine", **options)


def why(key: str, *, status: int = 0) -> Any:
    return json_of("why", key, "--cache", "./mine", status=status)


def test_a_fresh_entry(make: Make) -> None:
    with make() as cache:
        cache.set("a", [1], ttl=100, tags=["red"], cost=2.5)
        backend = "disk" if isinstance(cache, DiskCache) else "file_based"
    found = why("a")
    assert (found["state"], found["tier"], found["tags"], found["cost"]) == ("fresh", backend, ["red"], 2.5)
    assert 90 < found["seconds_left"] <= 100
    assert (found["stale_seconds_left"], found["refresh_in_seconds"], found["fault"]) == (0, None, None)
    assert (found["serializer"], found["compression"], found["is_signed"]) == ("pickle", None, True)
    assert found["bytes"] > 50
    assert found["age_seconds"] is None if backend == "disk" else found["age_seconds"] >= 0


def test_one_that_never_ends(make: Make) -> None:
    with make() as cache:
        cache.set("a", 5)
    assert (why("a")["seconds_left"], why("a")["serializer"]) == (None, "whole number")


def test_one_whose_refresh_is_due_and_one_that_is_stale(make: Make) -> None:
    then = time.time() - 80
    with make(clock=lambda: then) as cache:
        cache.get_or_set("due", lambda: 1, ttl=100, refresh_ahead=0.5, stale_ttl=50)
        cache.get_or_set("stale", lambda: 1, ttl=60, stale_ttl=50)
        cache.set("over", 1, ttl=60)
    due = why("due")
    assert (due["state"], due["refresh_in_seconds"] < 0, due["stale_seconds_left"] > 50) == ("refresh due", True, True)
    stale = why("stale", status=1)
    assert (stale["state"], stale["seconds_left"] < 0, 20 < stale["stale_seconds_left"] <= 30) == ("stale", True, True)
    assert why("over", status=1)["state"] == "expired"


def test_one_that_a_tag_has_undone(make: Make) -> None:
    with make() as cache:
        cache.set("a", 1, tags=["red"])
        cache.set("b", 1, tags=["blue"])
        cache.invalidate_tags("red")
    assert (why("a", status=1)["state"], why("b")["state"]) == ("invalidated", "fresh")
    assert why("a", status=1)["changed"] == []
    assert "a tag of it was invalidated" in why("a", status=1)["means"]


def test_one_whose_source_has_changed(make: Make, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("one")
    with make() as cache:
        cache.set("a", 1, tags=["red"], depends_on=[source, "schema", Key("b")])
    found = why("a")
    assert (found["state"], found["tags"]) == ("fresh", ["red", "schema"])
    assert found["depends_on"] == [f"file {source}", "key b"]
    assert "changed" not in found
    source.write_text("two, and longer")
    found = why("a", status=1)
    assert (found["state"], found["changed"]) == ("invalidated", [f"file {source}"])
    assert f"has changed: file {source}" in run("why", "a", "--cache", "./mine", status=1)


def test_one_whose_key_came_or_went_or_was_written_again(make: Make) -> None:
    with make() as cache:
        cache.set("other", 1)
        cache.set("c", 1, depends_on=[Key("other")])
        cache.set("other", 2)
        cache.set("there", 1)
        cache.set("a", 1, depends_on=[Key("there"), Version("prompt", 3)])
        cache.set("b", 1, depends_on=[Key("absent")])
        cache.set("absent", 1)
        cache.delete("there")
    assert why("a", status=1)["changed"] == ["key there"]
    assert why("a", status=1)["depends_on"] == ["key there", "version prompt 3"]
    assert why("b", status=1)["changed"] == ["key absent"]
    assert why("c", status=1)["changed"] == ["key other"]


def test_one_that_is_not_there(make: Make) -> None:
    with make() as cache:
        cache.set("b", 1)
    assert why("a", status=1)["state"] == "absent"
    assert "a is not there: nothing is stored under it" in run("why", "a", "--cache", "./mine", status=1)


def test_one_that_another_secret_signed(make: Make) -> None:
    with make(secret="another secret of the tests") as cache:
        cache.set("a", 1)
    found = why("a", status=1)
    assert (found["state"], found["fault"], "tags" in found) == ("unreadable", "secret", False)
    assert "unreadable: secret" in run("why", "a", "--cache", "./mine", status=1)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"serializer": "json"}, "serializer"),
        ({"compression": "zlib", "compression_threshold": 1}, "compression"),
        ({"encryption": "a secret of the tests"}, "encryption"),
    ],
)
def test_one_that_was_written_in_another_way(options: dict[str, Any], fault: str, place: Path) -> None:
    with DiskCache(place / "mine", **options) as cache:
        cache.set("a", "x" * 1000)
        assert cache.store.describe("a") is not None
        assert cache.store.describe("a").fault is None  # type: ignore[union-attr]
    found = why("a", status=1)
    assert (found["state"], found["fault"]) == ("unreadable", fault)
    assert found["is_encrypted"] is (fault == "encryption")
    assert found["compression"] == ("zlib" if fault == "compression" else None)


def test_it_is_shown_to_people(make: Make) -> None:
    with make() as cache:
        cache.set("a", 1, ttl=100, tags=["red"])
        cache.get_or_set("b", lambda: 1, ttl=100, refresh_ahead=0.5, stale_ttl=50)
    shown = run("why", "a", "--cache", "./mine")
    assert all(
        word in shown for word in ("fresh", "it is answered", "time left", "red", "whole number, signed", "never")
    )
    assert "150 s" in run("why", "b", "--cache", "./mine") or "149 s" in run("why", "b", "--cache", "./mine")


def test_one_on_a_server(redis_port: int, redis_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHERY_SECRET")
    url = f"redis://localhost:{redis_port}"
    with RedisCache(url, name=redis_prefix) as cache:
        cache.set("a", [1], ttl=100, tags=["red"])
        cache.set("b", 5)
        found = json_of("why", "a", "--cache", url, "--name", redis_prefix)
        assert (found["state"], found["tier"], found["tags"]) == ("fresh", "redis", ["red"])
        assert (found["serializer"], found["is_signed"]) == ("msgpack", False)
        assert 90 < found["seconds_left"] <= 100
        assert 0 <= found["age_seconds"] < 10
        cache.invalidate_tags("red")
        assert json_of("why", "a", "--cache", url, "--name", redis_prefix, status=1)["state"] == "invalidated"
        assert json_of("why", "b", "--cache", url, "--name", redis_prefix)["seconds_left"] is None
        assert json_of("why", "q", "--cache", url, "--name", redis_prefix, status=1)["state"] == "absent"
    with RedisCache(url, name=redis_prefix, secret="a secret of the tests") as cache:
        cache.set("a", [1])
    found = json_of("why", "a", "--cache", url, "--name", redis_prefix, status=1)
    assert (found["state"], found["fault"]) == ("unreadable", "secret")


def test_tiers_tell_which_has_it(place: Path) -> None:
    (place / "cachery.toml").write_text("[caches.both]\nbackend = 'tiered'\nover = 'disk'\npath = 'both'\n")
    run("set", "a", 1, "--cache", "both")
    assert json_of("why", "a", "--cache", "both")["tier"] == "disk"


def test_every_serializer_has_the_name_it_is_made_by() -> None:
    from cachery.serializers.keyring import Keyring  # noqa: PLC0415

    for name in SERIALIZERS:
        serializer = create_serializer(name)
        code = Codec(Recipe(serializer), Keyring("a secret of the tests", "")).code
        assert serializer_name(code) == serializer.name
