"""Going through a database that may be damaged, in a process of its own.

LMDB trusts its pages: one that never reached the device ends the process that meets it. So who is to meet it is a
child, and how it ends is the answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Health", "check_store"]

_MOST_PROBLEMS = 20
_PATIENCE = 10.0


class Health(NamedTuple):
    """What was found: how many ``records``, and what is wrong, ``problems``, nothing when the store is sound."""

    records: int
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_store(place: Path, timeout: float | None = None) -> Health:
    """Go through every record of the database in ``place``, in a child process, for at most ``timeout`` seconds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "cachery.backends.disk.checking", str(place)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=timeout)  # noqa: S603 - this very file
    except subprocess.TimeoutExpired:
        return Health(0, (f"the check was not over after {timeout:g} seconds",))
    if done.returncode < 0:
        return Health(0, (f"the database ended the process that read it (signal {-done.returncode}): it is damaged",))
    try:
        found: dict[str, Any] = json.loads(done.stdout)
        return Health(found["records"], tuple(found["problems"]))
    except (ValueError, KeyError):
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[len(lines) - 1] if lines else "the check said nothing"
        return Health(0, (said.removeprefix("cachery.exceptions.").partition(": ")[2] or said,))


def _walk(place: Path) -> Health:
    """Go through the database in ``place``, in this process."""
    from cachery.backends.byte_locks import ByteLocks  # noqa: PLC0415 - of use to the child only
    from cachery.backends.disk.big_files import BigFiles  # noqa: PLC0415
    from cachery.backends.disk.environment import Environment  # noqa: PLC0415
    from cachery.backends.disk.gate import Gate  # noqa: PLC0415
    from cachery.backends.disk.index import unpack_row  # noqa: PLC0415
    from cachery.backends.disk.state import State  # noqa: PLC0415
    from cachery.backends.disk.writing import reference_of  # noqa: PLC0415
    from cachery.serializers.envelope import Unreadable, unpack  # noqa: PLC0415

    locks = ByteLocks(place / "locks")
    environment = Environment(place, 1, Gate(locks, State(place / "state"), _PATIENCE), is_synced=False)
    files = BigFiles(place / "values", is_synced=False)
    problems: list[str] = []
    count = 0
    with environment.reading() as transaction:
        rows = {digest: unpack_row(data) for digest, data in transaction.cursor(environment.index)}
        for digest, record in transaction.cursor(environment.records):
            count += 1
            try:
                unpack(record)
            except Unreadable as unreadable:
                problems.append(f"record {digest.hex()}: {unreadable.reason}")
            reference = reference_of(record)
            if reference is not None and files.read(reference) is None:
                problems.append(f"record {digest.hex()}: its file {reference.name} is gone or was changed")
            if rows.pop(digest, None) is None:
                problems.append(f"record {digest.hex()}: not in the index")
    problems += [f"row {digest.hex()}: no record" for digest in rows]
    environment.close()
    left = len(problems) - _MOST_PROBLEMS
    return Health(count, (*problems[:_MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else [])))


if __name__ == "__main__":
    health = _walk(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({"records": health.records, "problems": health.problems}))
