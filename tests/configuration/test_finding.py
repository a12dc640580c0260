"""Which file is in force where none is named, and whose files are not believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cachery.configuration.finding import find_settings
from cachery.exceptions import CacheValueError


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    path = tmp_path / "one" / "two"
    path.mkdir(parents=True)
    return path


def test_there_may_be_none(deep: Path) -> None:
    assert find_settings(deep) is None


def test_the_nearest_is_found(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far, near = deep.parents[1] / "cachery.toml", deep.parent / "pyproject.toml"
    far.write_text("")
    near.write_text("[project]\n")
    assert find_settings(deep) == far
    near.write_text("[tool.cachery]\n")
    assert find_settings(deep) == near
    monkeypatch.chdir(deep)
    assert find_settings() == near
    (deep.parent / "cachery.toml").write_text("")
    assert find_settings() == deep.parent / "cachery.toml"


@pytest.mark.parametrize("text", ["[tool.", "tool = 5", "\xff"])
def test_a_pyproject_that_cannot_be_read_is_not_ours(text: str, deep: Path) -> None:
    (deep / "pyproject.toml").write_text(text, encoding="latin-1")
    assert find_settings(deep) is None


def test_the_variable_comes_first(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (deep / "cachery.toml").write_text("")
    monkeypatch.setenv("CACHERY_CONFIG", "elsewhere.toml")
    assert find_settings(deep) == Path("elsewhere.toml").absolute()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_what_others_may_write_is_refused_unless_it_is_named(deep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deep / "cachery.toml"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(CacheValueError, match="others could have written"):
        find_settings(deep)
    monkeypatch.setenv("CACHERY_CONFIG", str(path))
    assert find_settings(deep) == path
