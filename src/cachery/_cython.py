"""A stand-in for the ``cython`` module, for running the compiled files as ordinary Python.

A compiled file never imports this one: there the compiler resolves ``cython`` itself. Interpreted, the decorators and
casts below do nothing and a critical section takes the lock of its owner, so one source serves both. It stands in also
where the Cython package is installed, whose own stand-in takes no lock. Only what the package uses is here.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

_T = TypeVar("_T")

compiled = False

# C types are annotations only; interpreted code never looks at them.
bint = bool
double = float
uint = int
longlong = int
ulonglong = int
Py_ssize_t = int
void = None

NULL: Any = None

critical_section = attrgetter("guard")
"""Compiled: the owner's own lock where there is no GIL, and nothing where there is one. Here: the owner's ``guard``."""


def _unchanged(target: _T) -> _T:
    return target


cclass = final = inline = _unchanged

_c_functions: set[str] = set()


def cfunc(function: Callable[..., Any]) -> Callable[..., Any]:
    """Note that ``function`` is none of Python where it is compiled."""
    _c_functions.add(f"{function.__module__}.{function.__qualname__}")
    return function


ccall = cfunc


def is_c_function(function: Callable[..., Any]) -> bool:
    """Tell whether only compiled code can call ``function``, compiled: it is a step of a verb, not a verb."""
    return f"{function.__module__}.{function.__qualname__}" in _c_functions


def freelist(_size: int) -> Callable[[_T], _T]:
    return _unchanged


def exceptval(*_value: float, check: bool = True) -> Callable[[_T], _T]:
    del check
    return _unchanged


def cast(_kind: object, value: Any) -> Any:
    return value
