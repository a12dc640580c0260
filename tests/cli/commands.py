"""What the tests of the commands share: to run one, in this process."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from cachery.cli.app import app

__all__ = ["json_of", "run"]


def run(*arguments: object, status: int = 0, typed: str = "") -> str:
    """Run a command, which ends with ``status``; return what it printed. ``typed``: its standard input."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed, env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def json_of(*arguments: object, status: int = 0) -> Any:
    """Run a command with ``--json``; return what it said."""
    return json.loads(run(*arguments, "--json", status=status))
