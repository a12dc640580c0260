"""``cachery warm``: a cache filled by a function of the user's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.cli.commands import json_of, run

from cachery import DiskCache

LOADERS = """
def upper(key):
    if key == "bad":
        raise RuntimeError("no such page")
    return key.upper()

class Pages:
    @staticmethod
    def load(key):
        return len(key)

number = 5
"""


@pytest.fixture(autouse=True)
def _loaders(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a module of loaders in the working directory, and leave no trace of it."""
    (place / "loaders_of_a_test.py").write_text(LOADERS)
    (place / "needy_loaders_of_a_test.py").write_text("import no_such_module")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "loaders_of_a_test", raising=False)


def entries(place: Path) -> dict[str, object]:
    with DiskCache(place / "answers", name="answers") as cache:
        return cache.get_many(cache.keys())


def test_keys_come_from_a_file(place: Path) -> None:
    (place / "keys.txt").write_text("a\nb\n\nc d\n")
    shown = run("warm", "loaders_of_a_test:upper", "keys.txt", "--cache", "answers")
    assert "3 keys warmed, 0 failed" in shown
    assert entries(place) == {"a": "A", "b": "B", "c d": "C D"}


def test_keys_come_from_standard_input(place: Path) -> None:
    shown = run("warm", "loaders_of_a_test:Pages.load", "-c", "answers", "--json", typed="one\nthree\n")
    assert json.loads(shown)["warmed"] == 2
    assert entries(place) == {"one": 3, "three": 5}


def test_what_fails_is_told(place: Path) -> None:
    (place / "keys.txt").write_text("a\nbad\n")
    here = ["--cache", "answers"]
    found = json_of("warm", "loaders_of_a_test:upper", "keys.txt", *here, status=1)
    assert (found["warmed"], list(found["failed"]), found["success_rate"]) == (1, ["bad"], 0.5)
    assert "no such page" in run("warm", "loaders_of_a_test:upper", "keys.txt", *here, status=1)
    (place / "keys.txt").write_text("".join(f"{number}\n" for number in range(25)))
    said = run("warm", "builtins:ord", "keys.txt", *here, status=1)
    assert "15 failed" in said
    (place / "keys.txt").write_text("".join(f"key {number}\n" for number in range(25)))
    assert "and 5 more" in run("warm", "builtins:ord", "keys.txt", *here, status=1)


def test_spaces_around_a_key_are_none_of_it(place: Path) -> None:
    (place / "keys.txt").write_text("  a\t\r\n   \nc d \n")
    assert "2 keys warmed" in run("warm", "loaders_of_a_test:upper", "keys.txt", "--cache", "answers")
    assert entries(place) == {"a": "A", "c d": "C D"}


@pytest.mark.parametrize(
    ("code", "said"), [("raise RuntimeError('not today')", "RuntimeError: not today"), ("def", "SyntaxError: ")]
)
def test_a_module_that_fails_is_one_line(code: str, said: str, place: Path) -> None:
    (place / "failing_loaders_of_a_test.py").write_text(code)
    told = run("warm", "failing_loaders_of_a_test:load", "-c", "answers", status=2)
    assert told.startswith(f"cachery: the module 'failing_loaders_of_a_test' cannot be imported: {said}")
    assert told.count("\n") == 1


def test_what_is_stored_has_a_ttl_and_tags(place: Path) -> None:
    (place / "keys.txt").write_text("a\n")
    options = ["--ttl", "1h", "--tag", "red", "--retries", 1, "--timeout", "1m", "--cache", "answers"]
    run("warm", "loaders_of_a_test:upper", "keys.txt", *options)
    with DiskCache(place / "answers", name="answers") as cache:
        assert 3500 < (cache.ttl("a") or 0) <= 3600
        cache.invalidate_tags("red")
        assert not cache.exists("a")


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        ("upper", "a loader is module:function"),
        ("no_such_module_of_mine:load", "there is no module 'no_such_module_of_mine'"),
        ("os.no_such:load", "there is no module 'os.no_such'"),
        ("loaders_of_a_test:lower", "has no 'lower'"),
        ("loaders_of_a_test:number", "is no function but int"),
    ],
)
def test_what_is_no_loader_is_refused(loader: str, said: str, place: Path) -> None:
    assert said in run("warm", loader, "--cache", "answers", status=2)
    assert not (place / "answers").exists()


def test_what_a_loader_itself_misses_is_its_own_error() -> None:
    said = run("warm", "needy_loaders_of_a_test:load", "--cache", "answers", status=2)
    assert "'needy_loaders_of_a_test' cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in said


def test_a_file_of_keys_that_is_not_there_is_wrong_use() -> None:
    assert "cannot be read" in run("warm", "builtins:len", "none.txt", "--cache", "answers", status=2)
