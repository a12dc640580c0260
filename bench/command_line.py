"""How long the command line takes to start, beside an empty program of the same framework: pairs of processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import cachery
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from cachery import DiskCache

__all__ = ["command_line"]

_EMPTY = """
import typer
app = typer.Typer()
@app.callback()
def main() -> None: ...
@app.command()
def stats(json: bool = False) -> None:
    print("[]")
app()
"""
_PEER = "empty typer program"
_MOST = 15


def command_line(effort: Effort) -> Topic:
    """Measure ``cachery stats --json`` without settings, and of a cache on disk."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        with DiskCache(place / "answers", name="answers") as cache:
            cache.set("key", "value")
        empty = [sys.executable, "-c", _EMPTY, "stats", "--json"]
        ours = [sys.executable, "-m", "cachery", "stats", "--json"]
        commands = [empty, ours, [*ours, "--cache", "./answers"], [sys.executable, "-m", "cachery", "--version"]]
        theirs, plain, on_disk, version = _milliseconds(commands, place, min(effort.repeats, _MOST))
    rows = [
        Row("cachery stats --json", plain, _PEER, theirs, Bar(2.5), "ms"),
        Row("cachery stats --json --cache DIRECTORY", on_disk, _PEER, theirs, Bar(2.5), "ms"),
        Row("cachery --version", version, _PEER, theirs, unit="ms"),
    ]
    return Topic("The command line", rows, ["whole processes, from start to end, the commands in turn; medians"])


def _milliseconds(commands: Sequence[Sequence[str]], place: Path, repeats: int) -> list[float]:
    rounds = [[_run(command, place) for command in commands] for _ in range(repeats)]
    return [1e3 * median(samples) for samples in zip(*rounds, strict=True)]


def _run(command: Sequence[str], place: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])}
    began = perf_counter()
    subprocess.run(command, cwd=place, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    return perf_counter() - began
