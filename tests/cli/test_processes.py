"""Two programs started from the command line share a cache: each sees what the other writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

TOML = """
[caches.shared]
backend = "{backend}"
{where}
"""


def cachery(place: Path, *arguments: str, status: int = 0) -> str:
    environment = {**os.environ, "CACHERY_SECRET": "a secret of the tests", "CACHERY_CONFIG": str(place)}
    command = [sys.executable, "-m", "cachery", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.fixture(params=["disk", "file_based", "redis", "tiered"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a settings file that names a cache which processes share."""
    where = {"disk": 'path = "shared"', "file_based": 'cache_dir = "shared"'}.get(request.param)
    if where is None:
        port, prefix = request.getfixturevalue("redis_port"), request.getfixturevalue("redis_prefix")
        prefix = prefix.replace("[", "_").replace("]", "_").rstrip(":")
        where = f'redis_url = "redis://localhost:{port}"\nprefix = "{prefix}"'
    path = tmp_path / "settings.toml"
    path.write_text(TOML.format(backend=request.param, where=where))
    return path


def test_what_one_writes_the_other_reads(settings: Path) -> None:
    here = ["--cache", "shared"]
    cachery(settings, "set", "user:1", '{"name": "Ada"}', "--ttl", "5m", "--tag", "users", *here)
    assert json.loads(cachery(settings, "get", "user:1", *here)) == {"name": "Ada"}
    writers = [
        Thread(target=cachery, args=(settings, "set", f"user:{number}", str(number), "--tag", "users", *here))
        for number in (2, 3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(cachery(settings, "keys", "user:*", *here).split()) == ["user:1", "user:2", "user:3"]
    assert json.loads(cachery(settings, "stats", "--json", *here))[0]["entries"] == 3
    cachery(settings, "delete", "user:1", *here)
    cachery(settings, "get", "user:1", *here, status=1)
    cachery(settings, "purge", "shared", "--tag", "users")
    assert cachery(settings, "keys", *here) == ""
    assert "0 records checked, 0 problems" in cachery(settings, "verify", "shared")
