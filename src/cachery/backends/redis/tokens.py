"""The loads of this process that are under way, and what overtook them as far as this process knows.

The server decides whether the value of a load is stored. What is noted here spares a request that comes after an
invalidation from joining a load that began before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import count
from os import urandom

from cachery.backends.redis.records import State
from cachery.forks import reset_in_child
from cachery.locks import make_lock

__all__ = ["LoadToken", "Tokens"]

_WRITER_SIZE = 3


@dataclass(slots=True, eq=False)
class LoadToken:
    """The moment at which a load of ``key`` began: what the server calls it, and the numbers that stood then.

    ``entry``: the name of the entry. ``state``: ``None`` when the server could not be asked; then nothing is stored.
    ``began``: of two in a process, which began later. ``hit``: the tags that this process invalidated since.
    """

    key: str
    entry: bytes
    state: State | None
    opened_at: float
    began: int
    identity: bytes = field(default_factory=lambda: urandom(12))
    is_overtaken: bool = False
    are_tags_doubtful: bool = False
    hit: set[str] = field(default_factory=set)

    def is_current(self, tags: Collection[str]) -> bool:
        """Tell whether nothing can have overtaken the load, which brings ``tags``, as far as this process knows."""
        return not self.was_overtaken(tags) and not (tags and self.are_tags_doubtful)

    def was_overtaken(self, tags: Collection[str]) -> bool:
        """Tell whether this process knows of something that overtook the load, which brings ``tags``."""
        return self.is_overtaken or not self.hit.isdisjoint(tags)


class Tokens:
    """Those that are open, by key. ``writer``: with what the versions begin of all that this process writes."""

    def __init__(self) -> None:
        self._numbers = count()
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Forget the loads of the parent."""
        self.writer = urandom(_WRITER_SIZE)
        self._lock = make_lock()
        self._open: dict[str, list[LoadToken]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, key: str, entry: bytes, opened_at: float) -> LoadToken:
        """Return a new token of ``key``, which is overtaken by what happens from now on."""
        token = LoadToken(key, entry, None, opened_at, next(self._numbers))
        with self._lock:
            self._open.setdefault(key, []).append(token)
        return token

    def close(self, token: LoadToken) -> bool:
        """Forget ``token``; True when it was open."""
        with self._lock:
            tokens = self._open.get(token.key, [])
            if token not in tokens:
                return False
            tokens.remove(token)
            if not tokens:
                del self._open[token.key]
        return True

    def of(self, key: str) -> tuple[LoadToken, ...]:
        """Return those of ``key``."""
        if key not in self._open:  # nearly always: not worth a lock
            return ()
        with self._lock:
            return tuple(self._open.get(key, ()))

    def begun(self, key: str) -> list[LoadToken]:
        """Return those of ``key`` that the server knows."""
        return [token for token in self.of(key) if token.state is not None]

    def overtake(self, key: str) -> None:
        """Note that ``key`` was written or removed."""
        for token in self.of(key):
            token.is_overtaken = True

    def overtake_all(self) -> None:
        """Note that everything was invalidated."""
        for token in self._all():
            token.is_overtaken = True

    def hit(self, tags: Iterable[str]) -> None:
        """Note that ``tags`` were invalidated."""
        for token in self._all():
            token.hit.update(tags)

    def settle(self, token: LoadToken) -> None:
        """Note that the load of ``token`` was stored: those that began before it are overtaken."""
        for other in self.of(token.key):
            if other.began < token.began:
                other.is_overtaken = True

    def compare(self, tokens: Iterable[LoadToken], known: Collection[bytes], state: State | None) -> None:
        """Note what the server says of ``tokens``: ``known`` are not overtaken; ``state`` is as it stands now.

        They were open, and the server knew them, before it was asked.
        """
        for token in tokens:
            before = token.state
            if before is None or state is None or token.identity not in known or state.has_overtaken(before):
                token.is_overtaken = True
            elif state.number != before.number:
                token.are_tags_doubtful = True

    def _all(self) -> list[LoadToken]:
        if not self._open:
            return []
        with self._lock:
            return [token for tokens in self._open.values() for token in tokens]
