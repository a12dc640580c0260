"""The nanoseconds of calls, timed side by side so that what slows the machine slows them alike."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any, Protocol

from bench.effort import Effort

__all__ = ["Keys", "Loop", "Subject", "loop_of", "nanoseconds_of"]

_SOURCE = """
{kind}def loop(c, keys, v, passes, clock):
    began = clock()
    for _ in passes:
        for k in keys:
            {call}
    return clock() - began
"""

Loop = Callable[..., Any]
"""Calls with every key, in a number of passes; returns the seconds that took, or an awaitable of them."""


class Keys(Protocol):
    """What is gone through in a pass: as many each time, though they may be others."""

    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A ``call``, written with ``c`` for ``cache``, ``k`` for one of ``keys`` and ``v`` for ``value``.

    A call that begins with ``await`` is timed on an event loop. One call handles ``items``; the time is that of one
    item.
    """

    call: str
    cache: Any
    keys: Keys
    value: Any = "value"
    items: int = 1

    def run(self, loop: Loop, passes: int) -> float:
        """Return the seconds of ``passes`` over all keys in ``loop``, which was made for this call."""
        seconds: float = loop(self.cache, self.keys, self.value, repeat(None, passes), perf_counter)
        return seconds


def loop_of(call: str) -> Loop:
    """Return a loop of its own for ``call``: the interpreter adapts code to what it meets, so none is shared."""
    names: dict[str, Any] = {}
    kind = "async " if _is_awaited(call) else ""
    exec(_SOURCE.format(kind=kind, call=call), names)  # noqa: S102 - the calls are written in this package
    loop: Loop = names["loop"]
    return loop


def nanoseconds_of(subjects: Sequence[Subject], effort: Effort) -> list[float]:
    """Return what one call of each subject takes at best, the loop around it included.

    The subjects take turns, one sample each, so often that every one is sampled ``effort.repeats`` times.
    """
    with _without_collections(), asyncio.Runner() as runner:
        loops = [_plain_loop_of(subject.call, runner) for subject in subjects]
        turns = [
            (subject, loop, _passes(subject, loop, effort.seconds_each))
            for subject, loop in zip(subjects, loops, strict=True)
        ]
        rounds = [[_sample(*turn) for turn in turns] for _ in range(effort.repeats)]
    return [min(samples) for samples in zip(*rounds, strict=True)]


def _plain_loop_of(call: str, runner: asyncio.Runner) -> Loop:
    """Return a loop for ``call`` that is no coroutine; all that are awaited run in ``runner``, on one event loop."""
    loop = loop_of(call)
    if not _is_awaited(call):
        return loop
    return lambda *arguments: runner.run(loop(*arguments))


def _is_awaited(call: str) -> bool:
    return call.startswith("await ")


def _passes(subject: Subject, loop: Loop, seconds: float) -> int:
    """Return how many passes take about ``seconds``; the first pass only warms up."""
    subject.run(loop, 1)
    return max(1, round(seconds / subject.run(loop, 1)))


def _sample(subject: Subject, loop: Loop, passes: int) -> float:
    return 1e9 * subject.run(loop, passes) / (passes * len(subject.keys) * subject.items)


@contextmanager
def _without_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
