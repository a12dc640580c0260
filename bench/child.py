"""Measurements in a process of their own: nothing measured before has left its marks there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "answer_of"]

ROOT = Path(__file__).parents[1]


def answer_of(module: str, *arguments: object, path: Path | None = None) -> Any:
    """Run ``module`` of this package and return what it prints, which is JSON; ``path`` stands for PYTHONPATH."""
    command = [sys.executable, "-m", f"bench.{module}", *[str(argument) for argument in arguments]]
    environment = {**os.environ, **({} if path is None else {"PYTHONPATH": str(path)})}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603
    return json.loads(done.stdout)
