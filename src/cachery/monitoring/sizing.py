"""How many bytes objects take in memory, with all that they hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["size_of", "size_of_entries"]

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def size_of_entries(entries: Mapping[Any, Any]) -> int:
    """Return the bytes of all keys and values of ``entries``: of bytes their length, of other objects all they hold.

    What several entries share is counted once.

    >>> size_of_entries({})
    0
    >>> size_of_entries({b"key": b"x" * 1000})
    1003
    """
    seen: set[int] = set()
    return sum(size_of(part, seen) for pair in list(entries.items()) for part in pair)


def size_of(value: object, seen: set[int] | None = None) -> int:
    """Return the bytes of ``value`` and all that it holds, those in ``seen`` left out; that grows by them.

    Classes, functions and modules, which many share, count nothing.
    """
    known = set() if seen is None else seen
    waiting, total = [value], 0
    while waiting:
        each = waiting.pop()
        if id(each) in known or isinstance(each, _SHARED):
            continue
        known.add(id(each))
        total += _own_size(each)
        waiting.extend(_parts(each))
    return total


def _own_size(value: object) -> int:
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, memoryview):
        return value.nbytes
    return sys.getsizeof(value, 0)


def _parts(value: Any) -> Iterator[object]:
    if isinstance(value, Mapping):
        for key, each in list(value.items()):
            yield key
            yield each
    elif isinstance(value, list | tuple | set | frozenset):
        yield from list(value)
    yield from _attributes(value)


def _attributes(value: object) -> Iterator[object]:
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict):
        yield own
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield getattr(value, name)
