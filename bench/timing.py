"""The nanoseconds of calls, timed side by side so that what slows the machine slows them alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any

from bench.effort import Effort

__all__ = ["Loop", "Subject", "loop_of", "nanoseconds_of"]

_SOURCE = """
def loop(c, keys, v, passes, clock):
    began = clock()
    for _ in passes:
        for k in keys:
            {call}
    return clock() - began
"""

Loop = Callable[..., float]
"""Calls with every key, in a number of passes; returns the seconds that took."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A ``call``, written with ``c`` for ``cache``, ``k`` for one of ``keys`` and ``v`` for ``value``.

    One call handles ``items``; the time is that of one item.
    """

    call: str
    cache: Any
    keys: Sequence[Any]
    value: Any = "value"
    items: int = 1

    def run(self, loop: Loop, passes: int) -> float:
        """Return the seconds of ``passes`` over all keys in ``loop``, which was made for this call."""
        return loop(self.cache, self.keys, self.value, repeat(None, passes), perf_counter)


def loop_of(call: str) -> Loop:
    """Return a loop of its own for ``call``: the interpreter adapts code to what it meets, so none is shared."""
    names: dict[str, Any] = {}
    exec(_SOURCE.format(call=call), names)  # noqa: S102 - the calls are written in this package
    loop: Loop = names["loop"]
    return loop


def nanoseconds_of(subjects: Sequence[Subject], effort: Effort) -> list[float]:
    """Return what one call of each subject takes at best, the loop around it included.

    The subjects take turns, one sample each, so often that every one is sampled ``effort.repeats`` times.
    """
    with _without_collections():
        loops = [loop_of(subject.call) for subject in subjects]
        turns = [
            (subject, loop, _passes(subject, loop, effort.seconds_each))
            for subject, loop in zip(subjects, loops, strict=True)
        ]
        rounds = [[_sample(*turn) for turn in turns] for _ in range(effort.repeats)]
    return [min(samples) for samples in zip(*rounds, strict=True)]


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
