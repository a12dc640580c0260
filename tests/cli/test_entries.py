"""``cachery get``, ``set``, ``delete`` and ``keys``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import json_of, run

from cachery import DiskCache

HERE = ["--cache", "answers"]


@pytest.fixture(autouse=True)
def cache(place: Path) -> Any:
    """Return a cache that the settings name."""
    with DiskCache(place / "answers", name="answers") as made:
        yield made


@pytest.mark.parametrize(
    ("text", "value", "printed"),
    [
        ("12", 12, "12"),
        ("tea", "tea", '"tea"'),
        ('{"a": [1, null]}', {"a": [1, None]}, '{"a": [1, null]}'),
        ("NaN", "NaN", '"NaN"'),
        ('"12"', "12", '"12"'),
        ("", "", '""'),
        ("é", "é", '"é"'),
    ],
)
def test_a_value_is_json_or_else_text(text: str, value: object, printed: str, cache: DiskCache) -> None:
    assert run("set", *HERE, "a", text) == ""
    assert cache.get("a") == value
    assert run("get", "a", *HERE) == f"{printed}\n"


def test_text_may_be_forced(cache: DiskCache) -> None:
    run("set", "a", "12", "--text", *HERE)
    assert cache.get("a") == "12"


def test_a_value_may_come_from_standard_input(cache: DiskCache) -> None:
    run("set", "a", "-", *HERE, typed='{"b": 1}\n')
    run("set", "b", "-", "--text", *HERE, typed="two\nlines\n\n")
    assert cache.get_many(["a", "b"]) == {"a": {"b": 1}, "b": "two\nlines\n"}


def test_a_value_that_is_nested_too_deep_is_refused() -> None:
    assert "nested too deep" in run("set", "a", "[" * 100_000 + "]" * 100_000, *HERE, status=2)


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {3}, b"x", float("inf"), [(1,)], 1 + 2j])
def test_what_is_no_json_is_printed_as_python_writes_it(value: object, cache: DiskCache) -> None:
    cache.set("a", value)
    assert run("get", "a", *HERE) == f"{value!r}\n"
    assert json_of("get", "a", *HERE) == {"key": "a", "found": True, "repr": repr(value)}


def test_a_value_as_json(cache: DiskCache) -> None:
    cache.set("a", {"b": [None]})
    assert json_of("get", "a", *HERE) == {"key": "a", "found": True, "value": {"b": [None]}}
    nested: Any = []
    for _ in range(200):
        nested = [nested]
    cache.set("deep", nested)
    assert "repr" in json_of("get", "deep", *HERE)


def test_raw_is_as_it_is(cache: DiskCache) -> None:
    cache.set_many({"a": "two\nlines", "b": b"\x00", "c": 5})
    assert run("get", "a", "--raw", *HERE) == "two\nlines"
    assert run("get", "b", "--raw", *HERE) == "\x00"
    assert run("get", "c", "--raw", *HERE) == "5\n"


def test_a_miss_is_no_success(cache: DiskCache) -> None:
    assert run("get", "a", *HERE, status=1) == "cachery: a is not there\n"
    assert json_of("get", "a", *HERE, status=1) == {"key": "a", "found": False}
    cache.set("none", None)
    assert run("get", "none", *HERE) == "null\n"


def test_what_cannot_be_read_is_said_to_be_so(cache: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.set("a", 1)
    monkeypatch.setenv("CACHERY_SECRET", "another secret of the tests")
    assert run("get", "a", *HERE, status=1) == "cachery: a cannot be read: secret\n"
    assert json_of("get", "a", *HERE, status=1) == {"key": "a", "found": False, "fault": "secret"}


def test_an_entry_has_its_ttl_and_tags(cache: DiskCache) -> None:
    said = json_of("set", "a", 1, "--ttl", "90s", "--tag", "red", "--tag", "blue", *HERE)
    assert (said["key"], said["stored"], 80 < said["seconds_left"] <= 90) == ("a", True, True)
    cache.invalidate_tags("blue")
    assert not cache.exists("a")
    assert json_of("set", "a", 1, "--ttl", "forever", *HERE)["seconds_left"] is None


def test_a_ttl_that_is_none_is_wrong_use() -> None:
    assert "no time span" in run("set", "a", 1, "--ttl", "soon", *HERE, status=2)


def test_what_is_not_stored_is_no_success(place: Path) -> None:
    with (place / "cachery.toml").open("a") as file:
        file.write("[caches.small]\nbackend = 'disk'\npath = 'small'\nmax_value_bytes = 1000\n")
    assert "a was not stored: it is too large" in run("set", "a", "x" * 5000, "-c", "small", status=1)
    assert json_of("set", "a", "x" * 5000, "-c", "small", status=1)["stored"] is False


@pytest.mark.parametrize("ttl", ["0", "0s", "-1", "-5m"])
def test_a_ttl_that_is_over_at_once_is_wrong_use(ttl: str, cache: DiskCache) -> None:
    assert f"--ttl {ttl} is over at once" in run("set", "a", 1, "--ttl", ttl, *HERE, status=2)
    assert "--ttl='soon' is no time span" in run("set", "a", 1, "--ttl", "soon", *HERE, status=2)
    assert len(cache) == 0


def test_keys_are_deleted(cache: DiskCache) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3})
    assert run("delete", "a", "b", "a", *HERE) == "2 of 2 deleted\n"
    assert run("delete", "a", "c", *HERE, status=1) == "1 of 2 deleted\n"
    assert json_of("delete", "c", *HERE, status=1) == {"deleted": 0, "asked": 1}
    assert len(cache) == 0


def test_keys_are_listed(cache: DiskCache) -> None:
    cache.set_many({"user:1": 1, "user:2": 2, "mail:1": 3, "two\nlines\x1b[31m": 4})
    assert sorted(run("keys", *HERE).splitlines()) == ['"two\\nlines\\u001b[31m"', "mail:1", "user:1", "user:2"]
    assert sorted(json_of("keys", "user:*", *HERE)) == ["user:1", "user:2"]
    assert len(json_of("keys", "--limit", 3, *HERE)) == 3
    assert run("keys", "nothing*", *HERE) == ""


def test_a_key_may_begin_with_a_dash(cache: DiskCache) -> None:
    run("set", *HERE, "--", "-a", "-1")
    assert cache.get("-a") == -1
