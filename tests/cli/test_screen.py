"""The screen prints text as it is, wherever standard output goes."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import pytest

from cachery.cli.screen import SECTION_END, Screen, marked


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return StringIO()


def test_text_is_no_markup(output: StringIO) -> None:
    with redirect_stdout(output):
        Screen().line("[red]:bug:[/red] [/]", "bold")
    assert output.getvalue() == "[red]:bug:[/red] [/]\n"


def test_a_long_line_is_whole_in_a_file(output: StringIO) -> None:
    with redirect_stdout(output):
        Screen().line("word " * 100)
    assert output.getvalue().count("\n") == 1


def test_cells_are_no_markup_and_sections_are_parted(output: StringIO) -> None:
    with redirect_stdout(output):
        Screen().table("A table", ["name", "n"], [["[b]one", "1"], SECTION_END, ["two", marked("[2]", "bold")]])
    lines = [line.strip() for line in output.getvalue().splitlines()]
    assert lines[0] == "A table"
    assert [line.split() for line in lines if "o" in line] == [["[b]one", "1"], ["two", "[2]"]]
