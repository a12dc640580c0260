"""What an invalidation leaves behind, so that nothing begun before it is served after it.

Invalidations are numbered, and so are the beginnings of loads. A tag remembers the number of the last invalidation that
hit it, the store the number of its last clearing. An entry knows the number that stood when it, or the load that
brought it, began: it is outdated when one of its tags was hit later. So invalidating a tag costs the same however many
entries carry it.

For a key, a number is kept only while someone loads it: there is a fence as long as there is an open token. A tag's
number is kept until ``forget_tags``, by which the store, having removed what is outdated, bounds their number; a load
that was under way then and brings tagged entries is refused, for nobody knows any more whether one of its tags was hit.

While entries come back from a snapshot, whose keys nobody knows before, a journal holds every key that changes.
"""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

from cachery.model.keys import Key, Tags


@cython.final
@cython.cclass
class Fence:
    """One key that is being loaded: by how many, and the number of its last change."""

    holders: int
    changed: int

    def __init__(self) -> None:
        self.holders = 0
        self.changed = 0


@cython.final
@cython.cclass
class LoadToken:
    """The moment at which a load of ``key`` began: the number of the last invalidation before it."""

    key: str
    born: int
    is_open: bool

    def __init__(self, key: Any, born: cython.longlong) -> None:
        self.key = key
        self.born = born
        self.is_open = True


@cython.final
@cython.cclass
class Fences:
    """The numbers of one store. Takes no lock: the store works inside its own."""

    sequence: int
    epoch: int
    forgotten: int
    versions: dict[str, int]
    loading: dict[str, Fence]
    journal: set[str] | None

    def __init__(self) -> None:
        self.sequence = 0
        self.epoch = 0
        self.forgotten = 0
        self.versions = {}
        self.loading = {}
        self.journal = None

    @cython.cfunc
    def is_outdated(self, tags: Tags, born: cython.longlong) -> cython.bint:
        """Tell whether one of ``tags`` was hit after the number ``born``."""
        checked: tuple = tags  # type: ignore[type-arg]  # a C type
        for tag in checked:
            hit: cython.longlong = self.versions.get(tag, self.forgotten)
            if hit > born:
                return True
        return False

    @cython.cfunc
    @cython.exceptval(check=False)
    def touch(self, key: Key) -> cython.void:
        """Note that ``key`` was written or removed."""
        fence: Fence | None = self.loading.get(key)
        if fence is not None:
            self.sequence += 1
            fence.changed = self.sequence
        if self.journal is not None:
            self.journal.add(key)

    @cython.cfunc
    @cython.exceptval(check=False)
    def hit_tag(self, tag: Key) -> cython.void:
        """Note that ``tag`` was invalidated."""
        self.sequence += 1
        self.versions[tag] = self.sequence

    @cython.cfunc
    @cython.exceptval(check=False)
    def hit_all(self) -> cython.void:
        """Note that the store was cleared."""
        self.sequence += 1
        self.epoch = self.sequence

    @cython.cfunc
    @cython.exceptval(check=False)
    def forget_tags(self) -> cython.void:
        """Treat every tag as hit now. The store has given what it still holds a later birth."""
        self.sequence += 1
        self.forgotten = self.sequence
        self.versions.clear()

    @cython.cfunc
    def open(self, token: LoadToken, spare: Fence) -> None:
        """Open ``token`` for a load that begins now. ``spare`` becomes the fence of its key, if that has none.

        The token gets a number of its own: of two loads, one began later.
        """
        self.sequence += 1
        token.born = self.sequence
        fence: Fence = self.loading.setdefault(token.key, spare)
        fence.holders += 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def close(self, token: LoadToken) -> cython.void:
        """Let go of ``token``; a second time does nothing."""
        fence: Fence | None = self.loading.get(token.key) if token.is_open else None
        token.is_open = False
        if fence is not None:
            fence.holders -= 1
            if fence.holders == 0:
                del self.loading[token.key]

    @cython.cfunc
    def admits(self, token: LoadToken, tags: Tags) -> cython.bint:
        """Tell whether nothing has invalidated the key, the ``tags`` or the store since ``token`` was opened."""
        fence: Fence | None = self.loading.get(token.key)
        if not token.is_open or fence is None or self.epoch > token.born or fence.changed > token.born:
            return False
        return not self.is_outdated(tags, token.born)

    @cython.cfunc
    @cython.exceptval(check=False)
    def settle(self, token: LoadToken) -> cython.void:
        """Note that the load of ``token`` was stored: only loads that began no earlier may store after it."""
        fence: Fence | None = self.loading.get(token.key)
        if fence is not None:
            fence.changed = token.born
