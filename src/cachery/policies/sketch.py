"""How often keys were asked for lately: a count-min sketch with counters of 4 bits that are halved now and then.

A key has four counters; its frequency is the least of them, which others that share them can only raise. A count stops
at 15: who leaves is decided among keys that are rare, so larger numbers say nothing more. When as many requests have
been counted as ten times the entries, all counters are halved, so what was popular once fades (Cormode and
Muthukrishnan, "An improved data stream summary", 2005; the ageing, called reset, is that of Einziger, Friedman and
Manes, "TinyLFU: a highly efficient cache admission policy", 2017).

The four counters of a key lie in one block of 64 bytes, a line of the processor's cache, in four rows of 32: a request
costs one access to memory. There are 32 counters for each entry, 16 bytes. A Bloom filter that keeps keys seen once out
of the sketch (the doorkeeper of the paper) would spare counters; with so many of them it gained nothing on any trace
measured, and cost hits on some.

What is known of keys is kept when the sketch grows: a block becomes two that begin alike.
"""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

_BLOCK = 64
_BYTES_AN_ENTRY = 16
_REQUESTS_AN_ENTRY = 10
_ALL_BITS = 0xFFFFFFFFFFFFFFFF
_FIRST_FACTOR = 0xBF58476D1CE4E5B9
_SECOND_FACTOR = 0x94D049BB133111EB
_EPOCHS = (1 << 24) - 1
_MOST_AT_ONCE = 4096
"""Bytes halved at one request: so no request takes longer than a microsecond or two."""


@cython.final
@cython.cclass
class Sketch:
    """Counts requests, for a cache of ``entries``.

    >>> sketch = Sketch(100)
    >>> for _ in range(3):
    ...     sketch.count("tea")
    >>> sketch.frequency("tea"), sketch.frequency("milk")
    (3, 0)
    """

    def __init__(self, entries: Any) -> None:
        blocks = 1
        while blocks * _BLOCK < entries * _BYTES_AN_ENTRY:
            blocks *= 2
        self.set_up(bytearray(blocks * _BLOCK), entries)

    @cython.cfunc
    def set_up(self, memory: Any, entries: Any) -> None:
        """Count in ``memory`` from now on."""
        self.memory = memory
        self.cells = memory
        self.size = len(memory)
        self.mask = self.size // _BLOCK - 1
        self.counted = 0
        self.period = entries * _REQUESTS_AN_ENTRY
        self.aged = self.size
        self.epoch = 0

    @property
    def bytes_used(self) -> int:
        """How many bytes the counters take."""
        return int(self.size)

    def make_room(self, entries: Any) -> None:
        """Count for ``entries`` from now on, if they are more; nothing that is known is lost."""
        self.grow(entries)

    def count(self, key: Any) -> None:
        """Count a request for ``key``."""
        self.add(hash(key))

    def frequency(self, key: Any) -> int:
        """Return how often ``key`` was asked for lately, 0 to 15: never less than was counted, but for the ageing."""
        return int(self.estimate(hash(key)))

    @cython.cfunc
    @cython.exceptval(check=False)
    def add(self, hashed: cython.Py_ssize_t) -> cython.void:
        """Count a request for a key with that hash."""
        spread: cython.ulonglong = scrambled(hashed)
        block: cython.Py_ssize_t = (spread & self.mask) * _BLOCK
        places: cython.Py_ssize_t = spread >> 32
        is_changed: cython.bint = False
        row: cython.Py_ssize_t
        for row in range(4):
            at: cython.Py_ssize_t = block + 16 * row + ((places & 31) >> 1)
            shift: cython.int = (places & 1) << 2
            cell: cython.int = self.cells[at]
            if (cell >> shift) & 15 != 15:  # noqa: PLR2004 - four bits
                self.cells[at] = cell + (1 << shift)
                is_changed = True
            places >>= 5
        if is_changed:
            self.tick()

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def tick(self) -> cython.void:
        """Count a request that is remembered, here or by who is held; begin a new epoch when there were enough."""
        self.counted += 1
        if self.counted >= self.period:
            self.counted >>= 1
            self.aged = 0
            self.epoch = (self.epoch + 1) & _EPOCHS
        if self.aged < self.size:
            self.age()

    @cython.cfunc
    @cython.exceptval(check=False)
    def add_many(self, hashed: cython.Py_ssize_t, count: cython.int) -> cython.void:
        """Count ``count`` requests that were remembered elsewhere until now."""
        before: cython.Py_ssize_t = self.counted
        while count > 0:
            self.add(hashed)
            count -= 1
        self.counted = min(self.counted, before)

    @cython.cfunc
    @cython.exceptval(check=False)
    def estimate(self, hashed: cython.Py_ssize_t) -> cython.int:
        """Return how often a key with that hash was asked for lately."""
        spread: cython.ulonglong = scrambled(hashed)
        block: cython.Py_ssize_t = (spread & self.mask) * _BLOCK
        places: cython.Py_ssize_t = spread >> 32
        least: cython.int = 15
        row: cython.Py_ssize_t
        for row in range(4):
            cell: cython.int = self.cells[block + 16 * row + ((places & 31) >> 1)]
            count: cython.int = (cell >> ((places & 1) << 2)) & 15
            least = min(least, count)
            places >>= 5
        return least

    @cython.cfunc
    @cython.exceptval(check=False)
    def age(self) -> cython.void:
        """Halve the counters of the next few blocks."""
        end: cython.Py_ssize_t = self.aged + _MOST_AT_ONCE
        end = min(end, self.size)
        at: cython.Py_ssize_t
        for at in range(self.aged, end):
            self.cells[at] = (self.cells[at] >> 1) & 0x77
        self.aged = end

    @cython.cfunc
    def grow(self, entries: Any) -> None:
        """Count for ``entries`` from now on, if they need more room; keep what is known."""
        memory = self.memory
        while len(memory) < entries * _BYTES_AN_ENTRY:
            memory = memory + memory
        if len(memory) > self.size:
            aged, counted, epoch = self.aged, self.counted, self.epoch
            was_ageing = aged < self.size
            self.set_up(memory, entries)
            self.counted, self.epoch = counted, epoch
            self.aged = aged if was_ageing else self.size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def scrambled(hashed: cython.Py_ssize_t) -> cython.ulonglong:
    """Return 64 bits in which each bit of ``hashed`` has its part (a step of SplitMix64: Steele, Lea, Flood, 2014)."""
    mixed: cython.ulonglong = hashed & _ALL_BITS
    mixed = ((mixed ^ (mixed >> 30)) * _FIRST_FACTOR) & _ALL_BITS
    mixed = ((mixed ^ (mixed >> 27)) * _SECOND_FACTOR) & _ALL_BITS
    return mixed ^ (mixed >> 31)
