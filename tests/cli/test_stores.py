"""``cachery inspect``, ``verify`` and ``purge``."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cachery import Cache, DiskCache, FileBasedCache, RedisCache
from cachery.cli.app import app

KINDS = {"disk": DiskCache, "file_based": FileBasedCache}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the directory of a cache with a few entries, one of them expired."""
    monkeypatch.setenv("CACHERY_SECRET", "a secret of the tests")
    path = tmp_path / "cache"
    kind = KINDS[request.param]
    with kind(path, name="answers", clock=lambda: time.time() - 1000) as cache:
        cache.set("over", 0, ttl=10)
    with kind(path, name="answers") as cache:
        cache.set("user:1", "x" * 1000, tags=["users"])
        cache.set("user:2", "x", tags=["users"], ttl=100)
        cache.set("mail:1", "x")
    yield path
    shutil.rmtree(path)


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def keys_of(place: Path) -> list[str]:
    kind = KINDS[json.loads((place / "cachery.json").read_text())["kind"]]
    with kind(place) as cache:
        return sorted(cache.keys())


def test_inspect_says_what_is_there(place: Path) -> None:
    status, text = run("inspect", place)
    assert status == 0
    assert "'answers'" in text
    assert "3 live entries, 0 stale, 1 expired" in text
    assert "user:1" in text


def test_inspect_as_json(place: Path) -> None:
    status, text = run("inspect", place, "--json")
    said = json.loads(text)
    assert (status, said["name"], said["entries"], said["expired"]) == (0, "answers", 4, 1)
    assert said["largest"][0]["key"] == "user:1"
    assert said["largest"][0]["seconds_left"] is None


def test_verify_finds_nothing_wrong(place: Path) -> None:
    assert run("verify", place)[0] == 0
    status, text = run("verify", place, "--json")
    assert (status, json.loads(text)["is_sound"], json.loads(text)["checked"]) == (0, True, 4)


def test_verify_fails_with_another_secret(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHERY_SECRET", "another secret of the tests")
    status, text = run("verify", place)
    assert status == 1
    assert "4 records checked, 4 problems" in text


def test_verify_survives_a_database_that_is_garbage(tmp_path: Path) -> None:
    with DiskCache(tmp_path / "cache", secret="a secret of the tests") as cache:
        cache.set_many({str(number): "x" * 100 for number in range(1000)})
    path = tmp_path / "cache" / "data.mdb"
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    status, text = run("verify", path.parent)
    assert status == 1
    assert "1 problem" in text


def test_purge_by_pattern(place: Path) -> None:
    status, text = run("purge", place, "--pattern", "user:*", "--dry-run")
    assert (status, "2 entries match" in text, len(keys_of(place))) == (0, True, 3)
    assert run("purge", place, "--pattern", "user:*")[0] == 0
    assert keys_of(place) == ["mail:1"]


def test_purge_by_tag(place: Path) -> None:
    assert run("purge", place, "--tag", "users", "--tag", "unknown")[0] == 0
    assert keys_of(place) == ["mail:1"]


def test_purge_what_is_expired(place: Path) -> None:
    assert "1 entry is expired, nothing removed" in run("purge", place, "--expired", "--dry-run")[1]
    assert "1 dead entry removed" in run("purge", place, "--expired")[1]
    assert json.loads(run("inspect", place, "--json")[1])["entries"] == 3


def test_purge_wants_to_know_what(place: Path) -> None:
    status, text = run("purge", place)
    assert (status, "--pattern" in text) == (2, True)


@pytest.mark.parametrize("command", [["inspect"], ["verify"], ["purge", "--expired"]])
def test_a_directory_without_a_cache_is_refused(command: list[str], tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        status, text = run(*command, path)
        assert (status, "there is no cache in" in text) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_every_cache_on_disk_is_a_cache(place: Path) -> None:
    with KINDS[json.loads((place / "cachery.json").read_text())["kind"]](place) as cache:
        assert isinstance(cache, Cache)


def test_a_cache_on_a_server_is_looked_at_alike(
    redis_port: int, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CACHERY_SECRET", raising=False)
    url = f"redis://localhost:{redis_port}"
    here = ["--cache", url, "--name", redis_prefix]
    with RedisCache(url, name=redis_prefix) as cache:
        cache.set_many({"user:1": "x" * 1000, "user:2": 1, "mail:1": 1})
        cache.set("mail:2", 1, tags=["mails"])
        status, text = run("inspect", *here, "--json")
        assert (status, json.loads(text)["live"], json.loads(text)["kind"]) == (0, 4, "redis")
        assert f"redis cache {url}" in run("inspect", url, "--name", redis_prefix)[1]
        status, text = run("verify", *here, "--json")
        assert (status, json.loads(text)["checked"], json.loads(text)["cache"]) == (0, 4, url)
        removed = json.loads(run("purge", *here, "--pattern", "user:*", "--tag", "mails", "--json")[1])
        assert removed == {"matching": 2, "tags": ["mails"], "dead": 1, "is_removed": True}
        assert list(cache.keys()) == ["mail:1"]


def test_purge_as_json_only_tells_on_a_trial(place: Path) -> None:
    said = json.loads(run("purge", place, "--expired", "--tag", "users", "--dry-run", "--json")[1])
    assert said == {"matching": None, "tags": ["users"], "dead": 1, "is_removed": False}
    assert len(keys_of(place)) == 3


def test_many_problems_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DiskCache(tmp_path / "cache", secret="a secret of the tests") as cache:
        cache.set_many({str(number): 1 for number in range(25)})
    monkeypatch.setenv("CACHERY_SECRET", "another secret of the tests")
    status, text = run("verify", tmp_path / "cache")
    assert (status, "and 5 more" in text) == (1, True)
