"""Interpreted only: what an interrupt leaves half changed is made anew.

A signal handler that raises, as that of Ctrl-C does, comes between two steps of Python code; compiled, a verb is one
step. So where something that is no ``Exception`` leaves a verb, order, wheel and sums are made anew from the map, which
is whole at any time. What the order had learnt is forgotten then. It helps where no other thread waits for the table at
that moment: the exception gives the lock to that one first.

``get`` is called most, so it is left as it is: what it misses, ``missed`` removes, and of a hit only ``prolong`` and
the order may be left half done. An order notes that itself, and the next verb mends it. Where it does what it does
without a call or a loop, as ``lru``, it need not: no handler runs in between.
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
    names = {name for name in dir(kind) if _is_verb(name, getattr(kind, name))}
    if hasattr(kind, "missed"):
        names = (names - {"get"}) | {"missed", "prolong"}
    for name in names:
        setattr(kind, name, _mending(getattr(kind, name)))


def note_when_interrupted(*kinds: Any) -> None:
    """Let ``kinds``, classes of orders, note when a step that they take at a read is left half done."""
    for kind in kinds:
        kind.is_torn = False
        kind.accessed, kind.postponed = _noting(kind.accessed), _noting(kind.postponed)


def _is_verb(name: str, found: object) -> bool:
    return isinstance(found, FunctionType) and not is_c_function(found) and (name[0] != "_" or name == "__len__")


def _mending(verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def mending(self: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(self.order, "is_torn", False):
            _mend(self)
        try:
            return verb(self, *arguments, **options)
        except Exception:  # raised at a time when all is whole
            raise
        except BaseException:
            _mend(self)
            raise

    return mending


def _noting(step: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @wraps(step)
    def noting(self: Any, node: Any) -> None:
        if self.is_torn:
            return
        try:
            step(self, node)
        except BaseException:
            self.is_torn = True
            raise

    return noting


def _mend(table: Any) -> None:
    """Let ``table`` have an order, a wheel and sums that agree with its map."""
    with critical_section(table):
        _empty(table.wheel)
        table.order.__cinit__()
        table.order.sized(table.capacity)
        table.order.is_torn = False
        table.used = table.lapsed = 0
        for node in list(table.nodes.values()):
            _bring_back(table, node)
        table.soonest = -INFINITY  # some may be over


def _empty(wheel: Any) -> None:
    """Let nobody wait. It reaches as far as before: another thread may be about to schedule what it has reached for."""
    ticked, levels, slots = wheel.ticked, wheel.levels, len(wheel.slots)
    wheel.__cinit__()
    wheel.ticked, wheel.levels = ticked, levels
    wheel.slots.extend([] for _ in range(slots - len(wheel.slots)))


def _bring_back(table: Any, node: Any) -> None:
    node.prev = node.next = NULL
    node.group, node.place, node.timer = None, 0, 0
    if node.extra is not None:
        node.extra.is_lapsed = False
    table.used += node.weight
    table.order.added(node)
    if node.expires != INFINITY:
        table.wheel.reach(node.expires, table.wheel.ticked / TICKS)
        table.wheel.schedule(node, node.expires)
