"""Copies of entries, and how one knows that they are good still.

Every name on the server belongs to one of 2¹⁶ groups. When something of a group may have changed, because another
process said so or this one changed it itself, the group gets the next number. A copy knows the last number that was
given *before* it was read: it is good while neither its group, nor that of one of its tags, nor everything has a later
one. Else it is suspect, and the server is asked whether it still has that version. Two names of one group cost a
needless question.

Silence says something only as long as changes would be heard. So a copy is served until ``good_until``, which the
channel moves on with every sign of life, or until its own, whichever is later; beyond both it counts as suspect.
"""

from __future__ import annotations

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from collections.abc import Iterable
from copy import deepcopy
from typing import Any
from zlib import crc32

from cachery.locks import make_lock
from cachery.model.sentinels import MISSING
from cachery.ports.clock import Clock

if not cython.compiled:
    from cachery.ports.clock import monotonic as coarse_seconds

__all__ = ["Copies", "Copy", "Marks", "group_of"]

_GROUPS = 2**16
_FOREVER = float("inf")


@cython.final
@cython.cclass
class Copy:
    """A value as it was read. ``born``: the last number before; ``good_until``: without any sign of life."""

    value: Any
    version: bytes
    group: int
    tag_groups: Any
    born: int
    good_until: float
    refresh_at: float

    def __init__(
        self, value: Any, version: bytes, groups: Any, born: Any, *, good_until: float, refresh_at: float
    ) -> None:
        self.value = value
        self.version = version
        self.group = groups[0]
        self.tag_groups = groups[1:] or None
        self.born = born
        self.good_until = good_until
        self.refresh_at = refresh_at

    def __deepcopy__(self, memory: Any) -> Copy:
        groups = (self.group, *(self.tag_groups or ()))
        value = deepcopy(self.value, memory)
        return Copy(value, self.version, groups, self.born, good_until=self.good_until, refresh_at=self.refresh_at)


def group_of(name: bytes) -> Any:
    """Return the group to which ``name`` belongs."""
    return crc32(name) % _GROUPS


@cython.final
@cython.cclass
class Marks:
    """The last number of each group. ``clock``: ``None`` for the coarse one of the machine."""

    good_until: float
    number: int
    everything: int
    moved: list[Any]
    clock: Clock | None
    lock: Any

    def __init__(self, clock: Clock | None = None) -> None:
        self.good_until = -_FOREVER
        self.number = 0
        self.everything = 0
        self.moved = [0] * _GROUPS
        self.clock = clock
        self.lock = make_lock()

    def last_number(self) -> int:
        """Return the last number that was given."""
        return self.number

    def move(self, names: Iterable[bytes]) -> None:
        """Note that what stands under ``names`` may have changed."""
        groups = [group_of(name) for name in names]
        with self.lock:
            self.number += 1
            for group in groups:
                self.moved[group] = self.number

    def move_all(self) -> None:
        """Note that anything may have changed."""
        with self.lock:
            self.number += 1
            self.everything = self.number

    def keep_good(self, until: float) -> None:
        """Serve what is not suspect until then: changes made before it would be heard."""
        self.good_until = until

    def now(self) -> float:
        """Return the time by which copies are good."""
        return self.read_clock()

    @cython.cfunc
    def read_clock(self) -> cython.double:
        """Return the time."""
        return coarse_seconds() if self.clock is None else self.clock()

    @cython.cfunc
    def is_suspect(self, copy: Copy) -> cython.bint:
        """Tell whether what ``copy`` was made from may have changed."""
        if self.everything > copy.born:
            return True
        number: cython.longlong = self.moved[copy.group]
        if number > copy.born:
            return True
        return copy.tag_groups is not None and self.are_tags_suspect(copy)

    @cython.cfunc
    def are_tags_suspect(self, copy: Copy) -> cython.bint:
        """Tell whether a tag of ``copy`` may have been invalidated."""
        for group in copy.tag_groups:
            number: cython.longlong = self.moved[group]
            if number > copy.born:
                return True
        return False

    @cython.cfunc
    def is_good(self, copy: Copy) -> cython.bint:
        """Tell whether ``copy`` may be served without asking the server."""
        if self.is_suspect(copy):
            return False
        now: cython.double = self.read_clock()
        return now <= self.good_until or now <= copy.good_until


@cython.final
@cython.cclass
class Copies:
    """The copies in ``near``, a cache in memory, judged by ``marks``."""

    near: Any
    marks: Marks
    get: Any

    def __init__(self, near: Any, marks: Marks) -> None:
        self.near = near
        self.marks = marks
        self.get = near.get

    def look(self, key: Any, is_first_look: Any = False) -> Any:  # noqa: FBT002 - quicker by place
        """Return the value of ``key`` if a good copy is there, on a first look none to be refreshed."""
        found = self.get(key)
        if found is None:
            return MISSING
        copy: Copy = found
        if not self.marks.is_good(copy):
            return MISSING
        if is_first_look and copy.refresh_at != _FOREVER and copy.refresh_at <= self.marks.read_clock():
            return MISSING
        return copy.value

    def known(self, key: Any) -> Copy | None:
        """Return the copy of ``key``, good or not."""
        found = self.near.peek(key)
        return None if found is MISSING else found

    def keep(self, key: Any, copy: Copy, life: Any) -> None:
        """Keep ``copy`` for ``life`` seconds."""
        self.near.set(key, copy, life)

    def drop(self, key: Any) -> None:
        """Forget the copy of ``key``, if there is one."""
        self.near.delete(key)
