"""Keys are the same for ever: in every process, under every hash seed and every Python that is supported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.keys.golden import DIGESTS, VALUES, current_digests

import cachery

SOURCES = Path(cachery.__file__).parents[1]
ROOT = Path(__file__).parents[2]
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def starts(program: str, version: str) -> bool:
    """Tell whether ``program`` is a Python of ``version``; a shim of pyenv may name one that is not there."""
    asked = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip() == version


def interpreter(version: str) -> str:
    found = shutil.which(f"python{version}")
    installed = sorted(str(path) for path in PYENV.glob(f"versions/{version}.*/bin/python"))
    for program in [*installed, *([found] if found else [])]:
        if starts(program, version):
            return program
    pytest.skip(f"there is no Python {version} here")


def printed_by(program: str, **environment: str) -> dict[str, str]:
    """Return the digests that ``program`` finds for the same values."""
    paths = os.pathsep.join([str(SOURCES), str(ROOT)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
    done = subprocess.run(
        [program, "-B", "-c", "from tests.keys.golden import main; main()"],
        env={**kept, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pairs = (line.strip().removesuffix(",").split(": ") for line in done.stdout.splitlines())
    return {name.strip("'"): found.strip("'") for name, found in pairs}


def test_the_digests_are_those_of_old() -> None:
    assert current_digests() == DIGESTS


def test_no_two_of_them_are_the_same() -> None:
    assert len(set(DIGESTS.values())) == len(VALUES)


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_the_hash_seed_changes_nothing(seed: str) -> None:
    assert printed_by(sys.executable, PYTHONHASHSEED=seed) == DIGESTS


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_version_of_python_changes_nothing(version: str) -> None:
    assert printed_by(interpreter(version)) == DIGESTS
