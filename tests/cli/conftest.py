"""A directory with settings, where the commands of a test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachery.settings import VARIABLES

SETTINGS = """
default_ttl = "10m"
[caches.answers]
backend = "disk"
path = "answers"
[caches.pages]
backend = "file_based"
cache_dir = "pages"
[caches.sessions]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a ``cachery.toml``; the working directory."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CACHERY_SECRET", "a secret of the tests")
    (tmp_path / "cachery.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path
