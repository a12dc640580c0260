"""The command line as a process of its own: with its extra, without it, and into a pipe."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import cachery
from cachery import FileBasedCache
from cachery.cli import main
from cachery.cli.extras import EXTRAS, Extra

BLOCKED_BY_ENTRY = "sys.modules[{module!r}] = None"
BLOCKED_BY_FINDER = """
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == {module!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocker())
"""


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_the_module_runs() -> None:
    result = run_python("-m", "cachery", "--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"cachery {cachery.__version__}\n", "")


@pytest.mark.parametrize("module", ["typer", "rich"])
@pytest.mark.parametrize("block", [BLOCKED_BY_ENTRY, BLOCKED_BY_FINDER], ids=["entry", "finder"])
def test_without_its_extra_it_says_what_to_install(module: str, block: str) -> None:
    code = f"import sys\n{block.format(module=module)}\nfrom cachery.cli import main\nmain()"
    result = run_python("-c", code)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == f'cachery: the command line needs {module}: pip install "cachery[cli]"\n'


def test_the_commands_run_where_they_are_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["cachery", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("cachery", run_name="__main__")
    assert (ended.value.code, capsys.readouterr().out) == (0, f"cachery {cachery.__version__}\n")


def test_all_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(EXTRAS, "cli", Extra("cli", ("no_such_module", "json", "nor_this"), "the command line"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "needs no_such_module and nor_this: pip install" in capsys.readouterr().err


def test_a_terminal_without_accents_is_no_reason_to_fail() -> None:
    result = run_python("-m", "cachery", "demo", "--quick", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert "optimal (B?l?dy)" in result.stdout


def test_the_version_loads_no_cache() -> None:
    code = "import sys\nfrom cachery.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    loaded = run_python("-c", code, "--version").stdout.split()
    assert "cachery.cli.app" in loaded
    assert not {"cachery.in_memory", "cachery.simulation", "cachery.cli.screen"} & set(loaded)


def test_a_cache_whose_extra_is_missing_says_what_to_install(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[caches.answers]\nbackend = 'disk'\npath = 'answers'\n")
    code = f"import sys\n{BLOCKED_BY_ENTRY.format(module='lmdb')}\nfrom cachery.cli import main\nmain()"
    result = run_python("-c", code, "set", "a", "1", "--cache", "answers", CACHERY_CONFIG=str(settings))
    assert (result.returncode, result.stdout) == (2, "")
    assert 'pip install "cachery[disk]"' in result.stderr
    assert result.stderr.count("\n") == 1


def test_who_closes_the_pipe_early_is_no_reason_to_complain(tmp_path: Path) -> None:
    with FileBasedCache(tmp_path / "cache") as cache:
        cache.set_many({f"a long key, of which there are many: {number:06}": 1 for number in range(3000)})
    command = [sys.executable, "-m", "cachery", "keys", "--cache", str(tmp_path / "cache")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.readline()
        writing.stdout.close()
        assert writing.stderr.read() == b""
