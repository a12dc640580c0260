"""The commands: their options, and what an error looks like."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import cachery
from cachery.cli.app import app

UNREADABLE = {"CACHE_TTL_DEFAULT": "soon"}


def test_the_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"cachery {cachery.__version__}\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_the_commands(option: str) -> None:
    result = CliRunner().invoke(app, [option])
    assert result.exit_code == 0
    assert "demo" in result.stdout
    assert "doctor" in result.stdout


def test_without_a_command_there_is_help() -> None:
    assert "Usage" in CliRunner().invoke(app, []).output


def test_a_cache_error_is_one_line_on_stderr() -> None:
    result = CliRunner().invoke(app, ["demo"], env=UNREADABLE)
    assert result.exit_code == 2
    assert result.stderr.startswith("cachery: CACHE_TTL_DEFAULT='soon' cannot be read")
    assert result.stderr.count("\n") == 1


def test_a_cache_error_is_red() -> None:
    assert CliRunner().invoke(app, ["demo"], env=UNREADABLE, color=True).stderr.startswith("\x1b[31mcachery: ")
