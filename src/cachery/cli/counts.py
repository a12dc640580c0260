"""``cachery stats``: what caches hold, once or again and again.

Hits and misses are counted by each process for itself, and a process that just began has none; so here stands what is
the same for all: entries and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from cachery.cli.chosen import IN_PROCESS, choose, manager_in_force
from cachery.cli.printing import print_json
from cachery.exceptions import CacheError
from cachery.model.sizes import size_text
from cachery.stored import StoredCache

__all__ = ["show_counts", "watch_counts"]

Counts = dict[str, Any]
_COLUMNS = ["cache", "backend", "entries", "bytes"]


def show_counts(said: str | None, name: str | None, *, as_json: bool) -> bool:
    """Print the numbers of the cache ``said``, or of all in the settings file; False when one could not be asked."""
    with ExitStack() as stack:
        counts = [_counts_of(each) for each in _opened(said, name, stack)]
    if as_json:
        print_json(counts)
    else:
        _show(counts)
    return all("error" not in count for count in counts)


def watch_counts(said: str | None, name: str | None, *, as_json: bool, pause: Callable[[], bool]) -> None:
    """Print the numbers again and again, as JSON a line each time, until ``pause`` returns True."""
    with ExitStack() as stack:
        frames = _frames(_opened(said, name, stack), pause)
        if as_json:
            for counts, _ in frames:
                print_json(counts, indent=None)
            return
        from cachery.cli.screen import Screen  # noqa: PLC0415 - not for those who want JSON

        rows = ([_row(count, old) for count, old in zip(now, before, strict=True)] for now, before in frames)
        Screen().live_table("Caches", [*_COLUMNS, "change"], rows)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A cache that is asked for its numbers, or the ``error`` why it cannot be."""

    said: str
    backend: str
    cache: StoredCache | None = None
    error: str = ""


def _frames(
    asked: Sequence[_Asked], pause: Callable[[], bool]
) -> Iterator[tuple[list[Counts], Sequence[Counts | None]]]:
    """Yield the numbers of now and those of before."""
    before: Sequence[Counts | None] = [None] * len(asked)
    while True:
        now = [_counts_of(each) for each in asked]
        yield now, before
        before = now
        if pause():
            return


def _opened(said: str | None, name: str | None, stack: ExitStack) -> list[_Asked]:
    """Return the caches that are asked for; of all in the settings, those that processes share."""
    if said is not None:
        chosen = choose(said, name)
        return [_Asked(chosen.said, chosen.backend, stack.enter_context(chosen.open()))]
    plan = manager_in_force().plan
    shared = [] if plan is None else [each for each in plan.caches.values() if each.backend not in IN_PROCESS]
    return [_attempt(each.name, each.backend, stack) for each in shared]


def _attempt(name: str, backend: str, stack: ExitStack) -> _Asked:
    try:
        return _Asked(name, backend, stack.enter_context(choose(name).open()))
    except CacheError as error:
        return _Asked(name, backend, error=str(error))


def _counts_of(asked: _Asked) -> Counts:
    about = {"cache": asked.said, "backend": asked.backend}
    if asked.cache is None:
        return {**about, "error": asked.error}
    try:
        entries, size = _held(asked.cache)
    except CacheError as error:
        return {**about, "error": str(error)}
    return {**about, "entries": entries, "bytes": size}


def _held(cache: Any) -> tuple[int, int]:
    """Return how many live entries there are, and the bytes of all."""
    far = getattr(cache, "tiers", (cache,))[-1]
    total = getattr(far, "total_bytes", None)
    if total is not None:  # counted already
        return len(far), total
    now = far.store.read_clock()
    entries = [(entry.fresh_until > now, entry.size) for entry in far.store.summaries()]
    return sum(is_live for is_live, _ in entries), sum(size for _, size in entries)


def _row(count: Counts, before: Counts | None) -> list[str]:
    if "error" in count:
        return [count["cache"], count["backend"], "", "", count["error"]]
    change = "" if before is None or "error" in before else f"{count['entries'] - before['entries']:+,}"
    return [count["cache"], count["backend"], f"{count['entries']:,}", size_text(count["bytes"]), change]


def _show(counts: list[Counts]) -> None:
    from cachery.cli.screen import Screen  # noqa: PLC0415 - not for those who want JSON

    screen = Screen()
    if not counts:
        screen.line("The settings name no cache that processes share: choose one with --cache.")
        return
    screen.table("Caches", _COLUMNS, [_row(count, None)[:-1] for count in counts])
    for count in counts:
        if "error" in count:
            screen.line(f"{count['cache']}: {count['error']}", "red")
