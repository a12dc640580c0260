"""Which cache a command works on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.commands import json_of, run
from typer.testing import CliRunner

from cachery import DiskCache, FileBasedCache
from cachery.cli.app import app
from cachery.cli.chosen import choose

pytestmark = pytest.mark.usefixtures("place")


def test_a_name_of_the_settings(place: Path) -> None:
    run("set", "a", 1, "--cache", "answers")
    with DiskCache(place / "answers", name="answers") as cache:
        assert cache.get("a") == 1
        assert 500 < (cache.ttl("a") or 0) <= 600


def test_a_directory(place: Path) -> None:
    with FileBasedCache(place / "mine", name="hers") as cache:
        cache.set("a", 1)
    for said in ("mine", "./mine", place / "mine"):
        assert run("get", "a", "--cache", said) == "1\n"
    run("set", "b", 2, "--cache", "./mine")
    assert json_of("why", "b", "--cache", "mine")["seconds_left"] is None


def test_a_name_of_the_settings_comes_before_a_directory(place: Path) -> None:
    with FileBasedCache(place / "pages", name="other"):
        pass
    assert "was made with name='other'" in run("get", "a", "--cache", "pages", status=2)
    assert choose("./pages").backend == "file_based"


def test_a_name_without_settings_is_as_get_cache_has_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_BACKEND", "disk")
    monkeypatch.setenv("CACHE_DIR", str(place / "caches"))
    run("set", "a", 1)
    assert run("get", "a", "--cache", "default") == "1\n"
    assert (place / "caches" / "cachery" / "disk" / "default" / "data.mdb").exists()


@pytest.mark.parametrize("name", ["sessions", "another"])
def test_memory_of_another_process_is_refused(name: str) -> None:
    said = run("get", "a", "--cache", name, status=2)
    assert "each process has its own" in said
    assert "a directory or a URL" in said


def test_a_name_that_is_mistyped_is_said_to_be(place: Path) -> None:
    said = " ".join(run("get", "a", "-c", "answer", status=2).split())
    assert f"'answer' is not in {place / 'cachery.toml'} (did you mean answers?), and so is in_memory" in said
    assert "is not in" not in run("get", "a", "-c", "sessions", status=2)


@pytest.mark.parametrize("command", [["get", "a"], ["purge", "--expired"], ["stats"]])
def test_an_empty_name_is_none(command: list[str]) -> None:
    assert "is empty" in run(*command, "-c", "", status=2)


def test_the_home_of_nobody_is_nowhere() -> None:
    assert "has no home here" in run("get", "a", "-c", "~nosuch/d", status=2)


def test_an_error_is_json_for_those_who_asked_for_json(place: Path) -> None:
    for status, arguments in ((1, ["get", "a", "-c", "./nowhere"]), (2, ["get", "a", "-c", "sessions"])):
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == status
        assert f"cachery: {json.loads(done.stdout)['error']}\n" == done.stderr
    (place / "cachery.toml").write_text("max_sise = 1")
    assert "line 1: max_sise" in json.loads(CliRunner().invoke(app, ["stats", "--json"]).stdout)["error"]
    assert CliRunner().invoke(app, ["keys", "--", "--json"]).stdout == ""


@pytest.mark.parametrize("command", [["get", "a"], ["keys"], ["delete", "a"], ["why", "a"], ["inspect"], ["stats"]])
def test_looking_makes_no_cache(command: list[str], place: Path) -> None:
    for said in ("answers", "pages", "./nowhere"):
        assert "there is no cache in" in run(*command, "--cache", said, status=1)
    assert [path.name for path in place.iterdir()] == ["cachery.toml"]


def test_storing_makes_one_only_where_settings_say_so(place: Path) -> None:
    run("set", "a", 1, "--cache", "answers")
    assert "there is no cache in" in run("set", "a", 1, "--cache", "./nowhere", status=1)
    assert not (place / "nowhere").exists()


def test_nothing_leaves_because_somebody_stores(place: Path) -> None:
    with DiskCache(place / "mine", max_bytes="100MiB", name="mine") as cache:
        cache.set_many({str(number): "x" * 1000 for number in range(50)})
    run("set", "a", 1, "--cache", "./mine")
    assert json_of("inspect", "./mine")["live"] == 51


def test_a_name_goes_with_a_url_only() -> None:
    assert "--name goes with a URL" in run("get", "a", "--cache", "answers", "--name", "x", status=2)


def test_a_cache_is_named_once() -> None:
    assert "name the cache once" in run("inspect", "answers", "--cache", "answers", status=2)


def test_settings_that_are_wrong_are_wrong_use(place: Path) -> None:
    (place / "cachery.toml").write_text("[caches.answers]\nbackend = 'disk'\nmax_sise = 1\n")
    assert "line 3: caches.answers.max_sise: not known: did you mean max_size?" in run("keys", "-c", "x", status=2)


def test_no_password_is_shown() -> None:
    assert choose("redis://ada:tell@db/0").said == "redis://ada:***@db/0"


def test_a_server_that_is_away_is_said_to_be(place: Path) -> None:
    toml = "[caches.{0}]\nbackend = '{1}'\nredis_url = 'redis://localhost:1'\nconnect_timeout = 0.2\n"
    (place / "cachery.toml").write_text(toml.format("far", "redis") + toml.format("both", "tiered"))
    for said in ("far", "both", "redis://localhost:1"):
        for command in (["set", "a", "1"], ["get", "a"]):
            assert "localhost:1" in run(*command, "--cache", said, status=1)
