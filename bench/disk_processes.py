"""How many writes a second several processes get into one cache on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.child import ROOT
from bench.effort import Effort
from bench.rows import Bar, Row, Topic

__all__ = ["disk_processes"]

_PROCESSES = 4


def disk_processes(effort: Effort) -> Topic:
    """Let four processes write at once, ours and the peer's in turns."""
    seconds = 2 * effort.thread_seconds
    rounds = [(_writes("cachery", seconds), _writes("diskcache", seconds)) for _ in range(3)]
    ours, theirs = sorted(rounds, key=lambda pair: pair[0] / pair[1])[1]
    row = Row(
        f"writes by {_PROCESSES} processes",
        ours / 1e3,
        "diskcache",
        theirs / 1e3,
        Bar(2.5, is_floor=True),
        "thousand/s",
    )
    return Topic("On disk, many processes", [row])


def _writes(kind: str, seconds: float) -> float:
    """Return the writes a second of all processes."""
    with TemporaryDirectory() as place:
        command = [sys.executable, "-m", "bench.disk_writer", kind, str(Path(place) / "cache"), str(seconds)]
        writers = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
            for _ in range(_PROCESSES)
        ]
        for writer in writers:
            assert writer.stdout is not None  # noqa: S101 - it is a pipe
            writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None  # noqa: S101 - it is a pipe
            writer.stdin.write("go\n")
            writer.stdin.flush()
        counts = [int(writer.communicate()[0]) for writer in writers]
    return sum(counts) / seconds
