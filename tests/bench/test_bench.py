"""The benchmark runs and prints its tables. What it measures is nobody's business here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cachery

ROOT = Path(__file__).parents[2]
TITLES = [
    "Hits",
    "Writes",
    "Loading",
    "Decorated functions",
    "Coroutines",
    "One cold key",
    "Cancellations",
    "Interpreted",
    "Memory of an entry",
    "Collector",
    "Threads",
    "Other verbs",
    "Warming",
    "Monitoring",
    "On disk",
    "On disk, many entries",
    "On disk, many processes",
    "In files",
    "The loop beside a disk",
    "The command line",
]

for peer in ("cachebox", "cachetools", "cashews", "diskcache"):
    pytest.importorskip(peer, reason=f"the benchmark compares with {peer}, which is not installed")


def run_bench(*options: str) -> subprocess.CompletedProcess[str]:
    source = Path(cachery.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "bench", "--quick", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_quick_run_prints_every_table() -> None:
    done = run_bench()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in TITLES] == TITLES
    assert "| what | cachery | peer | peer's | ratio | bar | verdict |" in lines
    assert lines[-1].endswith("bars missed")
