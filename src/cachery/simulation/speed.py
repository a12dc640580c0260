"""Measures on the spot what a hit costs, beside what Python itself offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from timeit import Timer

from cachery.in_memory import InMemoryCache
from cachery.policies.registry import POLICIES

__all__ = ["Speed", "measure_speed"]

_KEYS = [f"key:{number}" for number in range(1000)]


@dataclass(frozen=True, slots=True)
class Speed:
    """What one call took, in ``nanoseconds``, the loop around it included."""

    call: str
    nanoseconds: float


def measure_speed(*, repeats: int = 7, seconds_each: float = 0.02) -> list[Speed]:
    """Return what a hit costs: ``dict.get``, a call of a ``functools.lru_cache`` function, and ``get`` of each policy.

    Each is the best of ``repeats`` runs of about ``seconds_each`` over 1,000 keys; one second in all unless told else.

    >>> [speed.call for speed in measure_speed(repeats=1, seconds_each=0)][:3]
    ['dict.get', 'functools.lru_cache', 'InMemoryCache.get, fifo']
    """
    return [Speed(name, _best_nanoseconds(call, repeats, seconds_each)) for name, call in _subjects()]


def _subjects() -> Iterator[tuple[str, Callable[[str], object]]]:
    """Return each call by name, warm: any of the keys is a hit."""
    yield "dict.get", dict.fromkeys(_KEYS, True).get
    yield "functools.lru_cache", _warm_function()
    for policy in POLICIES:
        yield f"InMemoryCache.get, {policy}", _warm_cache(policy).get


def _warm_function() -> Callable[[str], object]:
    @lru_cache(maxsize=len(_KEYS))
    def answer(key: str) -> bool:
        return bool(key)

    for key in _KEYS:
        answer(key)
    return answer


def _warm_cache(policy: str) -> InMemoryCache:
    cache = InMemoryCache(len(_KEYS), policy=policy)
    cache.set_many(dict.fromkeys(_KEYS, True))
    return cache


def _best_nanoseconds(call: Callable[[str], object], repeats: int, seconds_each: float) -> float:
    timer = Timer("for key in keys: call(key)", globals={"keys": _KEYS, "call": call})
    passes = max(1, int(seconds_each / timer.timeit(1)))
    return 1e9 * min(timer.repeat(repeats, passes)) / (passes * len(_KEYS))
