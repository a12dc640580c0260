"""Managers that go by a file: what counts more than what, and what a mistake leaves behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cachery
from cachery import CacheManager, CacheValueError, DiskCache, InMemoryCache, NullCache, aio, manager
from cachery.settings import VARIABLES

TOML = """
default_ttl = "5m"
[caches.sessions]
max_size = 10
default_ttl = "10m"
[caches.plain]
[caches.analysis]
backend = "disk"
path = "analysis"
[caches.odd]
backend = "redis"
service_name = "of no sentinels"
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    managers: list[CacheManager] = []
    monkeypatch.setattr(manager, "_managers", managers)
    yield
    for made in managers:
        made.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cachery.toml"
    path.write_text(TOML)
    return path


def memory(named: CacheManager, name: str, **options: Any) -> InMemoryCache:
    cache = named.get_cache(name, **options)
    assert isinstance(cache, InMemoryCache)
    return cache


def disk(named: CacheManager, name: str) -> DiskCache:
    cache = named.get_cache(name)
    assert isinstance(cache, DiskCache)
    return cache


def test_a_named_cache_is_as_its_table_says(config: Path, tmp_path: Path) -> None:
    with CacheManager(config=config) as named:
        sessions = memory(named, "sessions")
        assert (sessions.max_size, sessions.default_ttl, sessions.name) == (10, "10m", "sessions")
        assert (memory(named, "plain").default_ttl, memory(named, "other").default_ttl) == (300.0, 300.0)
        analysis = disk(named, "analysis")
        assert analysis.path == (tmp_path / "analysis").resolve()
        assert analysis.default_ttl == 300.0


def test_what_the_call_says_counts_most(config: Path) -> None:
    with CacheManager(config=config) as named:
        sessions = memory(named, "sessions", max_size=7)
        assert (sessions.max_size, sessions.default_ttl) == (7, "10m")
        assert memory(named, "sessions") is memory(named, "sessions", max_size=7) is sessions
        with pytest.raises(CacheValueError, match="was made with"):
            named.get_cache("sessions", max_size=10)


def test_what_is_in_the_file_may_be_said_again(config: Path) -> None:
    with CacheManager(config=config) as named:
        assert named.get_cache("sessions") is named.get_cache("sessions", max_size=10)


def test_the_table_counts_more_than_the_manager_and_that_more_than_defaults(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_TTL_DEFAULT", "7")
    monkeypatch.setenv("CACHE_MAX_SIZE", "8")
    with CacheManager("null", 60, config=config) as named:
        assert isinstance(named.get_cache("plain"), NullCache)
        assert disk(named, "analysis").default_ttl == 60.0
        assert memory(named, "sessions", backend="in_memory").default_ttl == 60.0
    with CacheManager(config=config) as named:
        assert (memory(named, "sessions").max_size, memory(named, "plain").max_size) == (10, 8)
        assert named.default_ttl == 300.0
    with CacheManager(config={"caches": {"a": {}}}) as named:
        assert memory(named, "a").default_ttl == 7.0
    with CacheManager(default_ttl=60, config=config) as named:
        assert memory(named, "sessions").default_ttl == "10m"


def test_a_default_backend_of_the_file_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_BACKEND", "disk")
    named = CacheManager(config={"default_backend": "null", "caches": {"a": {"max_size": 5}}})
    assert named.default_backend == named.summary()["default_backend"] == "null"
    assert isinstance(named.get_cache("a"), NullCache)
    with (
        CacheManager(config={"caches": {"a": {"policy": "lru"}}}) as other,
        pytest.raises(CacheValueError, match=r"CACHE_BACKEND='disk'.* of backend 'disk'"),
    ):
        other.get_cache("a")


def test_another_backend_is_another_cache(config: Path) -> None:
    with CacheManager(config=config) as named:
        assert memory(named, "analysis", backend="in_memory").max_size == 1000


def test_what_only_the_constructor_refuses_names_the_file(config: Path) -> None:
    with (
        CacheManager(config=config) as named,
        pytest.raises(CacheValueError, match=r"cachery\.toml, line 10: caches\.odd: sentinels and service_name"),
    ):
        named.get_cache("odd")


def test_a_mistake_opens_nothing(config: Path, tmp_path: Path) -> None:
    config.write_text(TOML + "timeuot = 5\n")
    with pytest.raises(CacheValueError, match="did you mean timeout"):
        CacheManager(config=config)
    assert list(tmp_path.iterdir()) == [config]


def test_no_secret_stands_in_an_error() -> None:
    tables = {"a": {"backend": "disk", "secret": "a secret of the tests"}}
    with CacheManager(config={"caches": tables}) as named:
        named.get_cache("a", max_size=5)
        with pytest.raises(CacheValueError) as raised:
            named.get_cache("a", max_size=6)
    assert "a secret of the tests" not in str(raised.value)


def test_the_variable_names_the_file_of_get_cache(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHERY_CONFIG", str(config))
    assert cachery.get_cache("sessions").stats.max_size == 10
    assert CacheManager().get_cache("sessions").stats.max_size == 1000
    with pytest.raises(CacheValueError, match="there is 'sessions' already"):
        cachery.configure({})


def test_no_file_is_read_that_nobody_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parent)
    assert cachery.get_cache("sessions").stats.max_size == 1000


def test_code_may_name_it_too(config: Path) -> None:
    cachery.configure(config)
    cachery.configure({"caches": {"sessions": {"max_size": 11}}})
    assert cachery.get_cache("sessions").stats.max_size == 11


def test_both_doors_go_by_it(config: Path) -> None:
    assert aio.CacheManager(config=config).get_cache("sessions").blocking.stats.max_size == 10
    aio.configure(config)
    assert aio.get_cache("sessions").blocking is cachery.get_cache("sessions")
    assert cachery.get_cache("sessions").stats.max_size == 10


def test_nothing_is_loaded_for_it_unless_there_is_a_file() -> None:
    code = "import sys, cachery; cachery.get_cache('a'); print('tomllib' in sys.modules, 'difflib' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]
