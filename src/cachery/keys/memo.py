"""A bounded memory from the arguments of a call to its key, so that a hit does not encode them again.

Only calls whose arguments are all plain (``str``, ``int``, ``float``, ``bool``, ``bytes``, ``None``, of exactly these
types) are remembered, by value and type, for ``1``, ``True`` and ``1.0`` are equal and not the same. Zero as a float is
left out: ``0.0`` and ``-0.0`` are equal too. When it is full the memory is emptied: that is cheaper, over the calls
between, than keeping an order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from cachery.model.keys import Count, Key

CAPACITY = 4096
_PLAIN = frozenset([str, int, float, bool, bytes, type(None)])
_KEYWORDS = object()


@cython.final
@cython.cclass
class KeyMemo:
    """Keys made by ``make(args, kwargs)``, remembered for calls with plain arguments, at most ``capacity`` of them.

    >>> memo = KeyMemo(lambda args, kwargs: f"key of {args}")
    >>> memo.find((42,), {})
    'key of (42,)'
    """

    make: Callable[[tuple[Any, ...], dict[str, Any]], str]
    keys: dict[Any, str]
    capacity: int

    def __init__(self, make: Callable[[tuple[Any, ...], dict[str, Any]], Key], capacity: Count = CAPACITY) -> None:
        self.make = make
        self.keys = {}
        self.capacity = capacity

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self.keys)

    def find(self, args: Any, kwargs: Any) -> Any:
        """Return the key of the call with ``args`` and ``kwargs``."""
        mark = mark_of(args, kwargs)
        if mark is None:
            return self.make(args, kwargs)
        key = self.keys.get(mark)
        if key is None:
            key = self.make(args, kwargs)
            if len(self.keys) >= self.capacity:
                self.keys.clear()
            self.keys[mark] = key
        return key


@cython.cfunc
def mark_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what stands for the call, values and types; ``None`` when it is not to be remembered."""
    if not kwargs and len(args) == 1:
        only = args[0]
        if type(only) is str or type(only) is int:
            return only
    marks: list[Any] = []
    for value in args:
        if not is_plain(value):
            return None
        marks.append(value)
        marks.append(type(value))
    if kwargs:
        marks.append(_KEYWORDS)
        for name, value in kwargs.items():
            if not is_plain(value):
                return None
            marks.append(name)
            marks.append(value)
            marks.append(type(value))
    return tuple(marks)


@cython.cfunc
def is_plain(value: object) -> cython.bint:
    """Tell whether ``value`` may stand for itself."""
    return type(value) in _PLAIN and not (type(value) is float and value == 0.0)
