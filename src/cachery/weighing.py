"""How many bytes of memory a value takes, with all that it alone holds.

A value is put on a scale, then what it holds, and so on, without recursion; what was weighed is not weighed again. What
an object holds ``gc.get_referents`` tells, in C: no attribute is read, nothing is compared or hashed, no property runs,
no ``__dict__`` comes into being. It leaves out keys that are text, for which dicts are asked.

**What is shared weighs nothing**: classes, functions, modules, ``None``, ``True``, small numbers, texts of one
character, members of an ``Enum``, loggers, threads, event loops, zones, frames, and the names of attributes.

**A class that says what it weighs is believed.** A ``__sizeof__`` written in Python (that of a ``pandas.DataFrame``)
counts for all that an object holds. It is the only code of a user that runs. One that raises, or returns anything but a
whole number from 0 to ``_MOST``, counts as not there, and a line in the log says so once.

**What is not exact**: text that a program contains literally is counted though the program has it anyway; the first
thirty instances of a class have room for more attributes, which is not counted; a ``datetime`` without a zone counts
eight bytes too many, a path the names that it shares with others; what a C extension does not tell is not seen.

Sizes are what ``tracemalloc`` traces: what is asked of the allocator, not what it rounds that up to.
"""

from __future__ import annotations

import sys
import types
from functools import partial
from gc import get_referents
from sys import getsizeof
from typing import Any
from weakref import ref

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from cachery.model.keys import Key

__all__ = ["weigh", "weigh_entry", "weigh_unseen"]

if not cython.compiled:
    is_ascii = str.isascii
    clipped = int  # compiled, a number that C has no room for becomes the largest that it has

    def is_held_once(_: object) -> bool:
        """Tell whether one object holds this one, so that it is not met again. Compiled only: others are noted."""
        return False

    def dict_keys(each: dict[Any, Any]) -> list[Any]:
        """Return the keys as they are at one time: nothing else runs meanwhile."""
        return list(dict.keys(each))

    def dict_values(each: dict[Any, Any]) -> list[Any]:
        """Return the values as they are at one time."""
        return list(dict.values(each))


class _Probe:
    """A plain class, to see how CPython lays one out."""


_ENTRY = 112 + 56
"""What the cache needs for an entry: its node, with the collector's header, and its share of the map.

The share is a mean over caches of 100 to 1,000,000 entries that evict: what leaves a ``dict`` keeps its place until
that is made anew, with three places for each key. While they fill it is 29 bytes.
"""

_POINTER = 8
_FLOAT, _BYTES, _TEXT = getsizeof(0.5), getsizeof(b""), getsizeof("")
_NUMBER = (getsizeof(1) + 7) // 8 * 8  # as arithmetic asks for one, for which sys.getsizeof tells less
_ONE_DIGIT = 1 << sys.int_info.bits_per_digit
_LEAST_SHARED, _MOST_SHARED = -5, 256
"""Whole numbers between these are made when Python starts, as is text of one character below."""

_MOST = 1 << 48
"""Who says to weigh more is not believed: that is more than a process can address."""

_SMALLEST = [getsizeof(dict.fromkeys(map(str, range(length)))) for length in range(31)]
"""The size of the smallest ``dict`` for so many keys. A smaller one keeps them elsewhere, with those of its class."""

_HAS_VALUES, _IS_TRACKED = 1 << 4, 1 << 14
_PLAIN = _Probe.__basicsize__
_VALUES_ARE_TOLD = getsizeof(_Probe()) > _PLAIN + 32
"""Whether ``sys.getsizeof`` knows of attributes that are kept without a ``__dict__``: to Python 3.13, it does not."""

_mro_of = type.__dict__["__mro__"].__get__
_dict_of = type.__dict__["__dict__"].__get__
_flags_of = type.__dict__["__flags__"].__get__
_name_of = type.__dict__["__qualname__"].__get__
_basicsize_of = type.__dict__["__basicsize__"].__get__
_itemsize_of = type.__dict__["__itemsize__"].__get__
_dictoffset_of = type.__dict__["__dictoffset__"].__get__
# These read a class itself: its metaclass may be written by a user.

_SHARED = {id(type), id(type(None)), id(bool), id(type(...)), id(type(NotImplemented))}
_SHARED |= set(map(id, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)))
_SHARED |= set(map(id, (types.CodeType, types.FrameType, types.TracebackType)))
_COMPILED_FUNCTION = "cython_function_or_method"  # of a module that has the version of Cython in its name
_SHARED_BY_NAME = {("asyncio.events", "AbstractEventLoop"), ("threading", "Thread"), ("zoneinfo", "ZoneInfo")}
_SHARED_BY_NAME |= {("enum", "Enum"), ("logging", "Handler"), ("logging", "Logger")}
"""Classes whose instances many share, by module and name, so that nobody has to load them."""

_kinds: dict[int, Kind] = {}
"""What is known of classes, by ``id``, as a metaclass may compare in its own way. A class that is gone is taken out."""


@cython.ccall
def weigh(value: object) -> cython.Py_ssize_t:
    """Return the bytes of ``value`` and of all that it alone holds.

    >>> weigh(b"x" * 1000), weigh([b"x" * 1000]), weigh(None)
    (1033, 1097, 0)
    """
    size: cython.Py_ssize_t = leaf_size(value)
    if size >= 0:
        return size
    return Scale(set()).weigh_all(value)


@cython.ccall
def weigh_entry(key: Key, value: object) -> cython.Py_ssize_t:
    """Return the bytes that a cache in memory takes for an entry: ``key``, ``value`` and what the cache needs for it.

    >>> weigh_entry("user:1", b"x" * 1000) - weigh("user:1") - weigh(b"x" * 1000)
    168
    """
    return _ENTRY + weigh(key) + weigh(value)


def weigh_unseen(value: object, seen: set[int]) -> cython.Py_ssize_t:
    """Return the bytes of ``value`` but for the objects whose ``id`` is among ``seen``.

    That grows by those which others may hold too, so that several values that share something count it once. They are
    all kept alive by the caller meanwhile, lest another object has the ``id``.

    >>> shared, seen = b"x" * 1000, set()
    >>> [weigh_unseen(value, seen) for value in ([shared], [shared], shared)]
    [1097, 64, 0]
    """
    return Scale(seen).weigh_all(value)


@cython.cfunc
@cython.exceptval(-2)
def leaf_size(value: object) -> cython.Py_ssize_t:
    """Return the bytes of what is common and holds nothing; -1 for all else."""
    size: cython.Py_ssize_t = -1
    if type(value) is str:
        size = text_size(value)
    elif type(value) is int:
        number: cython.longlong = clipped(value)
        if -_ONE_DIGIT < number < _ONE_DIGIT:
            size = 0 if _LEAST_SHARED <= number <= _MOST_SHARED else _NUMBER
        else:
            size = getsizeof(value)
    elif type(value) is float:
        size = _FLOAT
    elif type(value) is bytes:
        size = len(value)
        size = _BYTES + size if size > 1 else 0
    elif value is None or type(value) is bool or type(value) is type:
        size = 0
    return size


@cython.cfunc
@cython.exceptval(-2)
def text_size(text: str) -> cython.Py_ssize_t:
    """Return the bytes of a text; of one that is not ASCII, those of a copy in UTF-8 too if it has one."""
    length: cython.Py_ssize_t = len(text)
    if is_ascii(text):
        return _TEXT + length if length > 1 else 0
    return getsizeof(text) if length > 1 or ord(text) >= _MOST_SHARED else 0


@cython.final
@cython.cclass
class Kind:
    """What is known of a class whose instances are weighed.

    ``size``: that of each instance, or -1 where they differ. ``is_shared``: they weigh nothing. ``is_said``: they say
    what they weigh. ``is_leaf``: they hold nothing. ``has_values``: attributes are kept without a ``__dict__``;
    ``has_attributes``: with one. ``base``, ``dtype`` and ``flat``: how to ask an array whose memory it shows, what kind
    of things is in it, and which.
    """

    reference: Any
    base: Any
    dtype: Any
    flat: Any
    size: int
    is_shared: bool
    is_said: bool
    is_blamed: bool
    is_leaf: bool
    is_dict: bool
    has_values: bool
    has_attributes: bool

    def __init__(self, kind: Any, value: Any) -> None:
        line = _mro_of(kind)
        self.reference = ref(kind, partial(_kinds.pop, id(kind)))  # called with a reference, taken for a default
        self.base = self.dtype = self.flat = None
        self.is_blamed = False
        self.is_shared = any(_is_shared(ancestor) for ancestor in line)
        self.learn_size(line, value)
        self.learn_layout(kind, line)
        self.learn_array(line)

    def learn_size(self, line: tuple[Any, ...], value: object) -> None:
        """Find out who tells what an instance takes."""
        teller = next(each for each in line if "__sizeof__" in _dict_of(each))
        self.is_said = type(_dict_of(teller)["__sizeof__"]) is not types.MethodDescriptorType
        is_fixed = teller is object and not _itemsize_of(line[0])
        self.size = getsizeof(value) if is_fixed else -1

    def learn_layout(self, kind: Any, line: tuple[Any, ...]) -> None:
        """Find out where attributes are."""
        flags = _flags_of(kind)
        self.is_leaf = not flags & _IS_TRACKED
        self.is_dict = any(ancestor is dict for ancestor in line)
        self.has_values = bool(flags & _HAS_VALUES) and _basicsize_of(kind) <= _PLAIN
        self.has_attributes = not self.has_values and _dictoffset_of(kind) != 0

    def learn_array(self, line: tuple[Any, ...]) -> None:
        """Find out whether instances are arrays as numpy has them: who shows memory of another says so."""
        for ancestor in line:
            known = [_dict_of(ancestor).get(name) for name in ("base", "dtype", "flat", "nbytes")]
            if all(type(each) is types.GetSetDescriptorType for each in known):
                self.base, self.dtype, self.flat, _ = (each.__get__ for each in known)


@cython.final
@cython.cclass
class Scale:
    """Adds up what is put on it. ``seen``: the ``id`` of what was weighed already.

    What is ``waiting`` is weighed next, then what ``holders`` hold.
    """

    seen: set[int]
    waiting: list[Any]
    holders: list[Any]
    total: int

    def __init__(self, seen: set[int]) -> None:
        self.seen = seen
        self.waiting = []
        self.holders = []
        self.total = 0

    @cython.cfunc
    def weigh_all(self, value: object) -> cython.Py_ssize_t:
        """Return the bytes of ``value`` and all below it, a level at a time."""
        self.waiting.append(value)
        while self.waiting:
            level: list[Any] = self.waiting
            self.waiting = []
            for each in level:
                self.put(each)
            if self.holders:
                self.waiting += get_referents(*self.holders)
                self.holders.clear()
        return self.total

    @cython.cfunc
    def put(self, each: object) -> None:
        """Add ``each`` alone, and note what it holds."""
        size: cython.Py_ssize_t = leaf_size(each)
        if not size or not (is_held_once(each) or self.is_new(each)):
            return
        if size > 0:
            self.total += size
        elif type(each) is dict:
            self.put_dict(each)
        elif type(each) is list or type(each) is tuple:
            self.total += getsizeof(each) if each or type(each) is list else 0
            self.holders.append(each)
        else:
            self.put_object(each)

    @cython.cfunc
    def is_new(self, each: object) -> cython.bint:
        """Tell whether ``each`` is met for the first time."""
        known = len(self.seen)
        self.seen.add(id(each))
        return len(self.seen) > known

    @cython.cfunc
    def put_dict(self, each: dict[Any, Any]) -> None:
        """Add a ``dict`` alone; its keys wait only if they are its own."""
        size: cython.Py_ssize_t = getsizeof(each)
        self.total += size
        if len(each) >= len(_SMALLEST) or size >= _SMALLEST[len(each)]:
            self.waiting += dict_keys(each)
        self.waiting += dict_values(each)

    @cython.cfunc
    def put_object(self, each: object) -> None:
        """Add an object of any other class, unless many share it."""
        kind: Kind = kind_of(each)
        if kind.is_shared:
            return
        size: cython.Py_ssize_t = kind.size if kind.size >= 0 else told_size(each, kind)
        self.total += size if size >= 0 else object.__sizeof__(each)
        if size < 0 or not kind.is_said:
            self.put_parts(each, kind)

    @cython.cfunc
    def put_parts(self, each: Any, kind: Kind) -> None:
        """Note what an object holds."""
        if kind.has_values or kind.has_attributes:
            self.put_attributes(each, kind)
        elif not kind.is_leaf:
            self.holders.append(each)
        if kind.is_dict:
            self.waiting += dict_keys(each)
        if kind.base is not None:
            self.put_array(each, kind)

    @cython.cfunc
    def put_attributes(self, each: object, kind: Kind) -> None:
        """Note what an instance holds: attributes, or their ``__dict__``, then its class, then what its base has."""
        found: list[Any] = get_referents(each)
        if kind.has_values:
            self.total += 0 if _VALUES_ARE_TOLD else (len(found) + 9) // 8 * 8 + len(found) * _POINTER
        else:
            for place in range(1, len(found)):
                if found[place] is type(each):
                    self.put_namespace(found, place - 1)
                    break
            else:  # built-in, so that its class is not among what it holds
                self.put_namespace(found, 0)
        self.waiting += found

    @cython.cfunc
    def put_namespace(self, found: list[Any], place: cython.Py_ssize_t) -> None:
        """Add what is found at ``place`` without its keys, if it is a ``__dict__``, and take it out."""
        namespace = found[place] if found else None
        if type(namespace) is dict and self.is_new(namespace):
            self.total += getsizeof(namespace)
            self.waiting += dict_values(namespace)
            found[place] = None

    @cython.cfunc
    def put_array(self, each: object, kind: Kind) -> None:
        """Note whose memory an array shows, or, if that is its own, the objects in it."""
        base = kind.base(each)
        if base is not None:
            self.waiting.append(base)
        elif kind.dtype(each).kind == "O":
            self.waiting += list(kind.flat(each))


@cython.cfunc
def kind_of(value: object) -> Kind:
    """Return what is known of the class of ``value``; found out once, and kept as long as the class is there."""
    known: Kind | None = _kinds.get(id(type(value)))
    if known is None:
        known = Kind(type(value), value)
        _kinds[id(type(value))] = known
    return known


@cython.cfunc
@cython.exceptval(-2)
def told_size(each: object, kind: Kind) -> cython.Py_ssize_t:
    """Return what ``each`` says that it takes; -1, and once a line in the log, if that is not to be believed."""
    try:
        size = getsizeof(each)
        if 0 <= size <= _MOST:
            return size
        problem = "it says more than there can be"
    except Exception as error:  # noqa: BLE001 - it is code of a user, and nobody asked for it
        problem = f"it raised {type(error).__name__}"
    if not kind.is_blamed:
        kind.is_blamed = True
        blame(type(each), problem)
    return -1


def blame(kind: type, problem: str) -> None:
    """Write a line into the log: a class has a ``__sizeof__`` that cannot be used."""
    import logging  # noqa: PLC0415 - loaded only when something goes wrong

    logging.getLogger("cachery").warning("__sizeof__ of %s cannot be used: %s", _name_of(kind), problem)


def _is_shared(ancestor: Any) -> bool:
    """Tell whether instances of this class, and of those that derive from it, are held by many."""
    if id(ancestor) in _SHARED:
        return True
    module, name = _dict_of(ancestor).get("__module__"), _name_of(ancestor)
    return name == _COMPILED_FUNCTION or (type(module) is str and (module, name) in _SHARED_BY_NAME)
