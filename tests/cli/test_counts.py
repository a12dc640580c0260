"""``cachery stats``, once and again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.commands import json_of, run
from tests.servers.redis_servers import RedisServer

import cachery
from cachery import DiskCache, FileBasedCache
from cachery.cli.counts import watch_counts


@pytest.fixture(autouse=True)
def _caches(place: Path) -> None:
    with DiskCache(place / "answers", name="answers") as answers:
        answers.set_many({"a": 1, "b": 2})
    with FileBasedCache(place / "pages", name="pages") as pages:
        pages.set("a", "x" * 2000)


def test_those_of_one_cache() -> None:
    (found,) = json_of("stats", "--cache", "answers")
    assert (found["cache"], found["backend"], found["entries"]) == ("answers", "disk", 2)
    assert found["bytes"] == json_of("inspect", "answers")["bytes"]


def test_a_cache_may_be_the_argument() -> None:
    assert json_of("stats", "answers") == json_of("stats", "--cache", "answers")
    assert "name the cache once" in run("stats", "answers", "--cache", "answers", status=2)


def test_those_of_all_that_processes_share() -> None:
    found = json_of("stats")
    assert [(each["cache"], each["entries"]) for each in found] == [("answers", 2), ("pages", 1)]
    assert found[1]["bytes"] > 2000
    shown = run("stats")
    assert "answers" in shown
    assert "2.4 KiB" in shown
    assert "sessions" not in shown


def test_one_that_cannot_be_asked_is_told_of_beside_the_others(place: Path) -> None:
    with (place / "cachery.toml").open("a") as file:
        file.write("[caches.none]\nbackend = 'disk'\npath = 'none'\n")
    found = json_of("stats", status=1)
    assert ["error" in each for each in found] == [False, False, True]
    assert "there is no cache in" in run("stats", status=1)


def test_there_may_be_none(place: Path) -> None:
    (place / "cachery.toml").write_text("")
    assert json_of("stats") == []
    assert "choose one with --cache" in run("stats")


def pausing(*steps: Callable[[], object]) -> Callable[[], bool]:
    """Return a pause in which ``steps`` happen, one each time; then it is over."""
    waiting = list(steps)

    def pause() -> bool:
        if waiting:
            waiting.pop(0)()
            return False
        return True

    return pause


@pytest.mark.parametrize("as_json", [True, False])
def test_they_are_watched(place: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    with DiskCache(place / "answers", name="answers") as answers:
        pause = pausing(lambda: answers.set_many({"c": 3, "d": 4}), lambda: answers.delete("a"))
        watch_counts("answers", None, as_json=as_json, pause=pause)
    printed = capsys.readouterr().out
    if as_json:
        lines = [json.loads(line) for line in printed.splitlines()]
        assert [line[0]["entries"] for line in lines] == [2, 4, 3]
    else:
        assert "+2" in printed
        assert "-1" in printed


@pytest.mark.parametrize("as_json", [True, False])
def test_a_server_that_goes_away_meanwhile_is_told_of(
    own_redis: RedisServer, place: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    with (place / "cachery.toml").open("a") as file:
        file.write(f"[caches.far]\nbackend = 'redis'\nredis_url = 'redis://localhost:{own_redis.port}'\n")
    watch_counts(None, None, as_json=as_json, pause=pausing(own_redis.stop))
    printed = capsys.readouterr().out
    if as_json:
        before, after = [json.loads(line) for line in printed.splitlines()]
        assert (before[2]["entries"], "error" in after[2], after[0]["entries"]) == (0, True, 2)
    else:
        assert f"localhost:{own_redis.port}" in "".join(printed.split())


def test_watching_ends_well_when_it_is_interrupted(place: Path) -> None:
    command = [sys.executable, "-m", "cachery", "stats", "--watch", "--every", "0.1", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])}  # it may be relative
    with subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        lines = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
    assert lines[0] == lines[1]
