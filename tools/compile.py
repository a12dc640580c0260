"""Compiles the package in place when a source is newer than what was compiled.

Uses an environment of its own for Cython, so that the environment of the tests has none: what runs interpreted there
runs as it does for a user without a compiler.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / "build" / "compiler"
STAMP = HOME / "compiled"
REQUIREMENTS = ("setuptools>=77", "cython>=3.1")


def sources() -> list[Path]:
    """Return everything a compiled file depends on."""
    return [ROOT / "setup.py", *(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.pxd")]


def is_current() -> bool:
    """Tell whether nothing changed since the last compile, for this interpreter."""
    if not STAMP.exists() or STAMP.read_text() != sys.version:
        return False
    return STAMP.stat().st_mtime > max(source.stat().st_mtime for source in sources())


def make_compiler() -> Path:
    """Return the interpreter of the compiling environment, made when it is not there."""
    python = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)  # noqa: S603
    return python


def main() -> None:
    """Compile what is not compiled yet."""
    if is_current():
        return
    command = [make_compiler(), "setup.py", "--quiet", "build_ext", "--inplace"]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
    STAMP.write_text(sys.version)


if __name__ == "__main__":
    main()
