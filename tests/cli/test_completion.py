"""The shell completes commands, options, and the names of caches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cachery

PROGRAM = "from cachery.cli.app import app; app(prog_name='cachery')"


def completed(place: Path, words: str) -> list[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(cachery.__file__).parents[1]),  # it may be relative
        "_CACHERY_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, env=environment, cwd=place, capture_output=True, text=True, check=False
    ).stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("cachery pu", ["purge"]),
        ("cachery get --ra", ["--raw"]),
        ("cachery get key --cache ", ["answers", "pages", "sessions"]),
        ("cachery get key --cache an", ["answers"]),
        ("cachery inspect pa", ["pages"]),
    ],
)
def test_it_completes(words: str, expected: list[str], place: Path) -> None:
    assert completed(place, words) == expected


def test_wrong_settings_complete_nothing(place: Path) -> None:
    (place / "cachery.toml").write_text("[")
    assert completed(place, "cachery get key --cache ") == []


def test_a_shell_can_be_told() -> None:
    environment = {**os.environ, "_CACHERY_COMPLETE": "source_bash"}
    command = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    assert "complete -o default -F _cachery_completion cachery" in said
