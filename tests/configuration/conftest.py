"""Settings of these tests only: the environment says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cachery.settings import VARIABLES

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes a ``cachery.toml``."""

    def write(text: str) -> Path:
        path = tmp_path / "cachery.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
