"""Interpreted only: what an interrupt leaves half changed is made anew.

A signal handler that raises, as that of Ctrl-C does, comes between any two steps of Python code; compiled, a verb is
one step. So where something that is no ``Exception`` leaves a verb, order, wheel and sums are made anew from the map,
which is whole at any time. What the order had learnt is forgotten then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from cachery._cython import NULL, critical_section, is_c_function
from cachery.policies.wheel import INFINITY, TICKS


def mend_when_interrupted(kind: type) -> None:
    """Let each verb of ``kind``, a class of tables, leave the table whole whatever is raised in it."""
    for name in dir(kind):
        verb = getattr(kind, name)
        if isinstance(verb, FunctionType) and not is_c_function(verb) and (name[0] != "_" or name == "__len__"):
            is_plain = name == "get" and verb.__defaults__ == (None,)
            setattr(kind, name, _mending_get(verb) if is_plain else _mending(verb))


def _mending(verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def mending(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return verb(self, *arguments, **options)
        except BaseException as error:
            _mend(self, error)
            raise

    return mending


def _mending_get(get: Callable[..., Any]) -> Callable[..., Any]:
    """Do as ``_mending`` does, for what is called most: to pack and unpack arguments takes half as long as a hit."""

    @wraps(get)
    def mending(self: Any, key: Any, default: Any = None) -> Any:
        try:
            return get(self, key, default)
        except BaseException as error:
            _mend(self, error)
            raise

    return mending


def _mend(table: Any, error: BaseException) -> None:
    """Make ``table`` whole where ``error`` is an interrupt: any other it raises itself, at a time when it is whole."""
    if not isinstance(error, Exception):
        with critical_section(table):
            _make_anew(table)


def _make_anew(table: Any) -> None:
    """Let ``table`` have an order, a wheel and sums that agree with its map."""
    now = table.wheel.ticked / TICKS
    table.wheel.__cinit__()
    table.order.__cinit__()
    table.order.sized(table.capacity)
    table.used = table.lapsed = 0
    for node in list(table.nodes.values()):
        node.prev = node.next = NULL
        node.group, node.place, node.timer = None, 0, 0
        if node.extra is not None:
            node.extra.is_lapsed = False
        table.used += node.weight
        table.order.added(node)
        if node.expires != INFINITY:
            table.wheel.reach(node.expires, now)
            table.wheel.schedule(node, node.expires)
    table.soonest = -INFINITY  # some may be over
