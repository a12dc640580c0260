"""``FileBasedCache``: what it is made with, and the files that people see."""

from __future__ import annotations

import json
import math
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

from cachery.cache import Cache
from cachery.events import Unreadable
from cachery.exceptions import CacheValueError
from cachery.file_based import FileBasedCache

SECRET = "a secret of tests"


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def files_in(place: Path) -> tuple[dict[str, Any], bytes]:
    """Return what is in the meta file and the body of the only entry in ``place``."""
    metas, bodies = list(place.glob("*.meta")), list(place.glob("*.cache"))
    assert [path.stem for path in metas] == [path.stem for path in bodies]
    return json.loads(metas[0].read_bytes(), parse_constant=refuse_constant), bodies[0].read_bytes()


def test_two_files_an_entry_flat_in_the_directory(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, secret=SECRET) as cache:
        cache.set("user:42", {"name": "Zoë"})
        cache.set("other", 1)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert [name for name in names if name.startswith(".")] == [".locks"]
        assert "fdd48118d77004ffecb66c1b1e69dc3c.cache" in names
        assert [len(name) for name in names if name.endswith((".cache", ".meta"))] == [38, 37, 38, 37]
        assert len(names) == 6


def test_the_meta_file_is_json(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, default_ttl="5m", secret=SECRET, clock=lambda: 1000.0) as cache:
        cache.set("user:42", {"name": "Zoë"}, tags=["red", "\ud800"], cost=2.5)
        said, body = files_in(tmp_path)
        assert pickle.loads(body) == {"name": "Zoë"}  # noqa: S301 - our own
        assert len(said.pop("mac")) == 64
        assert len(said.pop("key_id")) == 16
        assert len(said.pop("digest")) == 64
        assert said.pop("file") == next(tmp_path.glob("*.cache")).stat().st_ino
        assert said == {
            "format": 1,
            "key": "user:42",
            "timestamp": 1000.0,
            "ttl": 300.0,
            "serializer": "pickle",
            "compression": None,
            "flags": 0,
            "size": len(body),
            "fresh_until": 1300.0,
            "refresh_at": None,
            "stale_until": None,
            "tags": ["red", "\ud800"],
            "cost": 2.5,
            "born": 0,
        }
        cache.set("user:42", 7, ttl=math.inf)
        said, body = files_in(tmp_path)
        assert (said["serializer"], said["ttl"], said["fresh_until"]) == ("integer", None, None)
        assert said["previous"]["ttl"] == 300.0
        assert body == b"\x07"
        cache.set("user:42", "third")
        assert "previous" not in files_in(tmp_path)[0]["previous"]


def test_json_can_be_read_by_everybody(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, serializer="json", secret=SECRET) as cache:
        cache.set("user", {"name": "Zoë", "scores": [1, 2.5]})
        said, body = files_in(tmp_path)
        assert json.loads(body) == {"name": "Zoë", "scores": [1, 2.5]}
        assert said["serializer"] == "json"


def test_files_are_private(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "cache"
    with FileBasedCache(place, secret=SECRET, max_size=5) as cache:
        cache.set("a", 1, tags=["red"])
        cache.invalidate_tags("red")
        cache.set("a", 2)
        cache.store.open_token("a")
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert len(list(place.iterdir())) == 7
        assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}


def test_entries_survive_their_process(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, secret=SECRET) as cache:
        cache.set("a", {"value": 42}, ttl=1000, tags=["red"])
        cache.set("b", 1, tags=["red"])
        cache.incr("n", 5)
    with FileBasedCache(str(tmp_path), secret=SECRET) as cache:
        assert cache.get("a") == {"value": 42}
        assert cache.ttl("a") == pytest.approx(1000, abs=20)
        assert cache.incr("n") == 6
        assert sorted(cache.keys()) == ["a", "b", "n"]
        cache.invalidate_tags("red")
    with FileBasedCache(tmp_path, secret=SECRET) as cache:
        assert list(cache.keys()) == ["n"]


@pytest.mark.parametrize("serializer", ["pickle", "json"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("encryption", [None, "another secret of tests"])
def test_every_way_to_write_comes_back(
    tmp_path: Path, serializer: str, compression: str | None, encryption: str | None
) -> None:
    if encryption is not None:
        pytest.importorskip("cryptography")
    options: Any = {"serializer": serializer, "compression": compression, "encryption": encryption, "secret": SECRET}
    values = ["", "x" * 10_000, 0, -1, 2**70, None, [1, 2.5, {"a": None}]]
    with FileBasedCache(tmp_path, **options) as cache:
        for value in values:
            cache.set("a", value)
            assert cache.get("a") == value
            cache.touch("a", 100)
            assert cache.get("a") == value
        cache.set("a", "x" * 10_000)
        said, body = files_in(tmp_path)
        assert said["compression"] == compression
        assert said["flags"] == int(encryption is not None)
        assert (len(body) < 1000) is (compression is not None)
        assert (b"xxxxx" in body) is (compression is None and encryption is None)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"serializer": "json"}, "serializer"),
        ({"secret": "the secret of somebody else"}, "secret"),
        ({"compression": "zlib"}, None),
    ],
)
def test_another_configuration_reads_what_it_may(tmp_path: Path, options: Any, reason: str | None) -> None:
    with FileBasedCache(tmp_path, secret=SECRET) as cache:
        cache.set("a", "text")
    seen: list[object] = []
    with FileBasedCache(tmp_path, **{"secret": SECRET, **options}) as cache:
        cache.subscribe(lambda event: seen.append(event) if isinstance(event, Unreadable) else None)
        assert cache.get("a") == (None if reason else "text")
        assert seen == ([Unreadable(None, "a", reason)] if reason else [])


def test_a_closed_cache_may_be_closed_again_and_its_files_stay(tmp_path: Path) -> None:
    cache = FileBasedCache(tmp_path, secret=SECRET)
    cache.set("a", 1)
    cache.close()
    cache.close()
    assert len(list(tmp_path.glob("*.meta"))) == 1


def test_a_name_belongs_to_a_directory(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, secret=SECRET, name="reports") as cache:
        cache.set("a", 1)
        assert repr(cache) == f"<FileBasedCache 'reports', '{tmp_path}'>"
    with FileBasedCache(tmp_path, secret=SECRET) as cache:
        assert cache.get("a") == 1
        assert repr(cache) == f"<FileBasedCache '{tmp_path}'>"
    with pytest.raises(CacheValueError, match="'reports'"):
        FileBasedCache(tmp_path, secret=SECRET, name="others")


def test_without_a_directory_it_is_in_that_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with FileBasedCache(secret=SECRET, name="reports") as cache:
        assert cache.cache_dir == tmp_path / "cachery" / "file_based" / "reports"
        assert isinstance(cache, Cache)
        assert cache.default_ttl is None
        assert cache.max_size is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_bytes": "much"}, "max_bytes"),
        ({"max_size": 0}, "max_size"),
        ({"max_size": True}, "max_size"),
        ({"max_value_bytes": -1}, "max_value_bytes"),
        ({"default_ttl": 0}, "default_ttl"),
        ({"default_ttl": "soon"}, "default_ttl"),
        ({"write_timeout": 0}, "write_timeout"),
        ({"lease_timeout": "x"}, "lease_timeout"),
        ({"serializer": 5}, "serializer"),
        ({"serializer": "xml"}, "xml"),
        ({"compression": "rar"}, "rar"),
        ({"secret": "short"}, "secret"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, options: Any, match: str) -> None:
    with pytest.raises(CacheValueError, match=match):
        FileBasedCache(tmp_path, **{"secret": SECRET, **options})


def test_an_unbounded_wait_is_one(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path, secret=SECRET, write_timeout=math.inf, max_size=5) as cache:
        assert cache.set("a", 1) is True
        assert cache.store.lease_timeout == 600


def test_it_works_in_a_place_of_any_name(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path / "with space and \u00e9" / "..." / "%s", secret=SECRET) as cache:
        cache.set("a", 1)
        assert cache.get("a") == 1
