"""Who was turned away lately: keys without values, by the hash alone.

A table in which each key has one place: there its hash stands, and with it how many had been turned away before. It is
remembered until as many as ``limit`` others have been turned away since, or until another takes the place. Two keys of
one hash are taken for one, which a cache survives.
"""

from __future__ import annotations

from array import array
from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

if not cython.compiled:
    from cachery.policies.sketch import scrambled

_COUNT_BITS = 40
_COUNT_MASK = (1 << _COUNT_BITS) - 1


@cython.final
@cython.cclass
class Ghosts:
    """Remembers the last ``limit`` hashes that it was told, about.

    >>> ghosts = Ghosts(100)
    >>> ghosts.remember("tea")
    >>> ghosts.recall("tea"), ghosts.recall("tea"), ghosts.recall("milk")
    (True, False, False)
    """

    def __init__(self, limit: Any) -> None:
        slots = 1
        while slots < 2 * limit:
            slots *= 2
        self.limit = limit
        self.mask = slots - 1
        self.slots = array("Q", bytes(8 * slots))
        self.turned_away = limit  # so that an empty place is too old

    def remember(self, key: Any) -> None:
        """Note that ``key`` was turned away."""
        self.note(hash(key))

    def recall(self, key: Any) -> bool:
        """Tell whether ``key`` was turned away lately, and forget it."""
        return bool(self.take(hash(key)))

    @cython.cfunc
    @cython.exceptval(check=False)
    def note(self, hashed: cython.Py_ssize_t) -> cython.void:
        """Note that a key with that hash was turned away."""
        spread: cython.ulonglong = scrambled(hashed)
        self.turned_away += 1
        place: cython.Py_ssize_t = spread & self.mask
        self.slots[place] = (spread & ~_COUNT_MASK) | (self.turned_away & _COUNT_MASK)

    @cython.cfunc
    @cython.exceptval(check=False)
    def take(self, hashed: cython.Py_ssize_t) -> cython.bint:
        """Tell whether a key with that hash was turned away lately, and forget it."""
        spread: cython.ulonglong = scrambled(hashed)
        place: cython.Py_ssize_t = spread & self.mask
        found: cython.ulonglong = self.slots[place]
        if (found ^ spread) & ~_COUNT_MASK:
            return False
        self.slots[place] = 0
        return bool(self.turned_away - (found & _COUNT_MASK) < self.limit)
