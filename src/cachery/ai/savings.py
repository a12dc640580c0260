"""What was not spent because an answer was kept: calls, tokens, seconds, by model, operation and scope."""

from __future__ import annotations

from dataclasses import dataclass

from cachery.locks import make_lock

__all__ = ["Ledger", "Saving"]

_MOST_ROWS = 10_000
_REST = "(others)"


@dataclass(frozen=True, slots=True)
class Saving:
    """What hits have saved for one ``model``, ``operation`` and ``scope``.

    ``calls`` that were not made, the tokens they would have taken by what the kept answers say, and the ``seconds``
    that these took when they were made.
    """

    model: str
    operation: str
    scope: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float


class Ledger:
    """Adds up savings. Of more than ``most`` kinds, further ones are not told apart: they count as ``(others)``.

    >>> ledger = Ledger()
    >>> ledger.add("small-1", "chat", "public", tokens=(120, 30), seconds=1.5)
    >>> ledger.rows()[0].output_tokens
    30
    """

    def __init__(self, most: int = _MOST_ROWS) -> None:
        self._most = most
        self._sums: dict[tuple[str, str, str], tuple[int, int, int, float]] = {}
        self._lock = make_lock()

    def add(self, model: str, operation: str, scope: str, *, tokens: tuple[int, int], seconds: float) -> None:
        """Count one call that was not made."""
        with self._lock:
            kind = model, operation, scope
            if kind not in self._sums and len(self._sums) >= self._most:
                kind = _REST, _REST, _REST
            calls, read, written, spent = self._sums.get(kind, (0, 0, 0, 0.0))
            self._sums[kind] = calls + 1, read + tokens[0], written + tokens[1], spent + seconds

    def rows(self) -> list[Saving]:
        """Return what was saved, the most seconds first."""
        with self._lock:
            sums = list(self._sums.items())
        rows = [
            Saving(*kind, calls=calls, input_tokens=read, output_tokens=written, seconds=spent)
            for kind, (calls, read, written, spent) in sums
        ]
        return sorted(rows, key=lambda row: -row.seconds)

    def clear(self) -> None:
        """Begin at 0."""
        with self._lock:
            self._sums.clear()
