"""Prints text, tables and progress bars: in colours on a terminal, plain elsewhere. The one file that knows rich."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TypeAlias

from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

__all__ = ["SECTION_END", "Cell", "Screen", "marked"]

Cell: TypeAlias = str | Text
"""What stands in a table: plain text, or what ``marked`` returns."""

SECTION_END: list[Cell] = []
"""A row that stands for a line across the table."""


def marked(text: str, style: str) -> Cell:
    """Return ``text`` for a table's cell in a style, ``"bold green"`` for instance."""
    return Text(text, style)


class Screen:
    """Standard output for a person. Text is printed as it is: nothing in it is markup."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # an é that a terminal cannot show is no reason to fail
        self._console = Console(markup=False, emoji=False, highlight=False)

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line. A terminal gets a long one broken between words, a file whole."""
        self._console.print(text, style=style, soft_wrap=not self._console.is_terminal)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        are_numbers: bool = False,
        are_names_whole: bool = False,
    ) -> None:
        """Print a table; with ``are_numbers``, all columns but the first stand to the right.

        With ``are_names_whole``, what stands in the first is never broken, however narrow the others become.
        """
        self.line(title, "bold")
        self._console.print(_table(columns, rows, are_numbers=are_numbers, are_names_whole=are_names_whole))

    def live_table(self, title: str, columns: Sequence[str], frames: Iterable[Iterable[Sequence[Cell]]]) -> None:
        """Print a table for each of ``frames``, in the place of the one before while this is a terminal."""
        with Live(console=self._console, auto_refresh=False) as live:
            for rows in frames:
                table = _table(columns, rows)
                table.title = title
                if self._console.is_terminal:
                    live.update(table, refresh=True)
                else:
                    self._console.print(table)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar on stderr while that is a terminal; give what to call with each step done."""
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(title, total=total)
            yield lambda done: progress.advance(task, done)


def _table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    are_numbers: bool = False,
    are_names_whole: bool = False,
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=any(columns))
    for place, column in enumerate(columns):
        is_whole = are_names_whole and not place
        table.add_column(
            column, justify="right" if are_numbers and place else "left", overflow="fold", no_wrap=is_whole
        )
    for row in rows:
        if row is SECTION_END:
            table.add_section()
        else:
            table.add_row(*[cell if isinstance(cell, Text) else Text(cell) for cell in row])
    return table
