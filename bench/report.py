"""Tables of what was measured: plain for a terminal, Markdown for the README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.rows import Row, Topic

__all__ = ["count_of_missed", "markdown", "plain"]

_COLUMNS = ("what", "cachery", "peer", "peer's", "ratio", "bar", "verdict")
_RIGHT = (1, 3, 4)
_SMALL = 100


def plain(topic: Topic) -> str:
    """Return the table of ``topic`` in aligned columns, its notes beneath."""
    cells = [_COLUMNS, *[_cells(row) for row in topic.rows]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_COLUMNS))]
    lines = [_aligned(line, widths) for line in cells]
    return "\n".join([topic.title, *[f"  {line}" for line in lines], *[f"  {note}" for note in topic.notes], ""])


def markdown(topics: Iterable[Topic]) -> str:
    """Return one table of every row that has a peer or a bar."""
    rows = [row for topic in topics for row in topic.rows if row.peer or row.bar]
    rule = ["---:" if place in _RIGHT else "---" for place in range(len(_COLUMNS))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [_COLUMNS, rule, *[_cells(row) for row in rows]])


def count_of_missed(topics: Iterable[Topic]) -> str:
    """Return one line: how many bars there are and how many were missed."""
    verdicts = [row.verdict for topic in topics for row in topic.rows if row.bar is not None]
    return f"{verdicts.count('missed')} of {len(verdicts)} bars missed"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        _amount(row.ours, row.unit),
        row.peer,
        "" if row.theirs is None else _amount(row.theirs, row.unit),
        "" if row.ratio is None else f"{row.ratio:.3f}",
        "" if row.bar is None else str(row.bar),
        row.verdict,
    )


def _amount(number: float, unit: str) -> str:
    return f"{number:,.{1 if abs(number) < _SMALL else 0}f} {unit}" if unit else f"{number:,.0f}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    columns = enumerate(zip(line, widths, strict=True))
    return "  ".join(f"{cell:>{width}}" if place in _RIGHT else f"{cell:<{width}}" for place, (cell, width) in columns)
