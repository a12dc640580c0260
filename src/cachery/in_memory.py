"""``InMemoryCache``: the compiled memory store as a ``Cache``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

from cachery.backends.in_memory.portable import PortableStore
from cachery.cache import Cache
from cachery.exceptions import CacheValueError
from cachery.keys.glob import glob_matcher
from cachery.model.durations import Duration, idle_of, life_of
from cachery.model.sizes import Size, bytes_of
from cachery.policies.registry import create_order
from cachery.policies.table import capacity_of
from cachery.ports.clock import Clock
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when they are used for the first time
    from cachery.loading import BlockingEngine
    from cachery.snapshots.options import SnapshotOptions

__all__ = ["InMemoryCache"]

Weigher: TypeAlias = Callable[[str, Any], int]

_COPIERS = {"never": None, "deep": deepcopy}


class _Default(int):
    """A number that was not given."""


DEFAULT_SIZE: int = _Default(1000)
"""The most entries where nothing is said of that."""


class InMemoryCache(PortableStore, Cache):
    """A cache in this process: the fastest there is, gone with the process.

    ``max_size``: the most entries, ``None`` for no bound. ``max_bytes``: the most bytes (or text as ``"64MiB"``) that
    keys, values and what the cache adds to them take; then there is no bound of entries unless you say one.
    ``weigher``: a function of key and value that says how many bytes an entry counts, instead of measuring it.
    ``default_ttl``: how long an entry lives that is stored without a TTL, ``None`` for ever. ``idle_ttl``: how long one
    lives that is not read, ``None`` for as long as its TTL. ``policy``: who leaves when it is full: ``"lru"``,
    ``"tinylfu"``, ``"lfu"``, ``"fifo"`` or ``"ttl"``. ``copy``: ``"never"`` keeps values by reference, so that changing
    a value you got changes the cache; ``"deep"`` copies on the way in and out, at the cost of ``copy.deepcopy``.
    ``clock``: a function that returns seconds, for tests. ``name``: stands in events and errors.

    Thread-safe and re-entrant; never holds more than ``max_size`` entries or ``max_bytes``. Expiry is right to 16 ms.
    Entries whose time is over leave before any other, at most 16 of them at a call.

    >>> cache = InMemoryCache(max_size=2)
    >>> for letter in "abc":
    ...     _ = cache.set(letter, letter.upper())
    >>> cache.get("a"), cache.get("c"), cache.stats.evictions
    (None, 'C', 1)
    """

    def __init__(  # noqa: PLR0913 - what a cache is made with, all by name
        self,
        max_size: int | None = DEFAULT_SIZE,
        default_ttl: Duration | None = None,
        *,
        policy: str = "lru",
        max_bytes: Size | None = None,
        weigher: Weigher | None = None,
        idle_ttl: Duration | None = None,
        copy: Literal["never", "deep"] = "never",
        clock: Clock | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(copy, str) or copy not in _COPIERS:
            raise CacheValueError(f"copy must be 'never' or 'deep', not {copy!r}")
        if clock is not None and not callable(clock):
            raise CacheValueError(f"clock is a function that returns seconds, not {type(clock).__name__}")
        bound, measure = weighing_by(max_bytes, weigher)
        super().__init__(
            create_order(policy),
            capacity_of(None if max_size is DEFAULT_SIZE and bound is not None else max_size),
            life=life_of(default_ttl),
            idle=idle_of(idle_ttl),
            max_bytes=bound,
            weigher=measure,
            is_measured=weigher is None,
            copier=_COPIERS[copy],
            clock=clock,
            name=name,
        )
        self._weigher = weigher
        self._default_ttl, self._idle_ttl, self._policy, self._max_bytes = default_ttl, idle_ttl, policy.lower(), bound
        self._stats = CacheStats.of(self.counters, self)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}, "
        weight = "" if self.max_bytes is None else f", max_bytes={self.max_bytes}"
        return f"<{type(self).__name__} {name}{self.policy}, max_size={self.max_size}{weight}>"

    @property
    def default_ttl(self) -> Duration | None:
        """The TTL of an entry stored without one, as it was given."""
        return self._default_ttl

    @property
    def idle_ttl(self) -> Duration | None:
        """How long an entry lives that is not read, as it was given."""
        return self._idle_ttl

    @property
    def max_bytes(self) -> int | None:
        """How many bytes entries may take, as the weigher counts; ``None`` when there is no bound."""
        return self._max_bytes

    @property
    def total_bytes(self) -> int | None:
        """How many bytes entries take now, as they were weighed; ``None`` where none is weighed."""
        return None if self._max_bytes is None else self.weight_in_all()

    @property
    def policy(self) -> str:
        """The name of the policy."""
        return self._policy

    @property
    def stats(self) -> CacheStats:
        """The numbers of this cache, live and exact. Called, it returns itself."""
        return self._stats

    def weigh_within(self, kind: type[Any]) -> None:
        """Let a given weigher see the ``value`` of what is kept where that is of ``kind``: of copies in a tier."""
        given = self._weigher
        if given is not None:
            self.weigher = _weigher_of(kind, given)

    def build_engine(self) -> BlockingEngine:
        """Return a new engine that loads through this cache."""
        from cachery.loading import blocking_engine  # noqa: PLC0415 - loaded when something is loaded first
        from cachery.statistics.recorder import Recorder  # noqa: PLC0415

        return blocking_engine(self, Recorder(self.counters, self.name, lambda: self.listeners))

    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match the glob ``pattern``, those of this moment."""
        matches = glob_matcher(pattern)
        known = self.known_keys()
        return (key for key in known if matches(key) and self.exists(key))

    def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``, stale ones and loads in progress too.

        Returns how many live ones there were.
        """
        matches = glob_matcher(pattern)
        self.refuse_arrivals(matches)
        return self.delete_all([key for key in self.known_keys() if matches(key)], pattern)

    def cleanup_expired(self) -> int:
        """Remove what is expired or dead by a tag; return how many entries that were."""
        return self.sweep()

    def snapshot(self, path: str | os.PathLike[str], **options: Unpack[SnapshotOptions]) -> int:
        """Write every live entry to the file ``path``, for ``restore`` after a restart; return how many were written.

        Keys, values, tags, costs, the time that is left and how often each was used are kept. A file that is there is
        replaced when the new one is whole, and stays if anything fails; only this user can read it. The cache is in use
        meanwhile: what changes while it is written may be in it or not. What the serializer cannot carry, and values
        beyond ``max_value_bytes``, are left out, and a line in the log says how many. ``options`` are those of
        ``SnapshotOptions``.

        Raises ``CacheConnectionError`` or ``CacheFullError`` for a file that cannot be written.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with InMemoryCache() as cache:
        ...         _ = cache.set("answer", {"value": 42}, ttl="1h")
        ...         cache.snapshot(f"{place}/answers.snapshot")
        ...     with InMemoryCache() as cache:
        ...         cache.restore(f"{place}/answers.snapshot"), cache.get("answer")
        1
        (1, {'value': 42})
        """
        from cachery.snapshots.taking import take_snapshot  # noqa: PLC0415 - loaded when it is used

        return take_snapshot(self, path, options)

    def restore(self, path: str | os.PathLike[str], **options: Unpack[SnapshotOptions]) -> int:
        """Bring back what ``snapshot`` wrote to ``path``; return how many entries were stored.

        Each has the time left that it had, less what has passed since by the wall clock. They stand in the order in
        which they stood, behind what is held already, and nothing is evicted: where there is room for some, the most
        valuable ones come. A key that is held or loaded already, or that is written, removed or invalidated meanwhile,
        is left as it is. ``options`` are those that the snapshot was taken with; the name of the cache is the same too.

        What cannot be read is left out, with an event ``Unreadable`` for each entry, and a line in the log that says
        what to do. Of a file that was cut short all that is whole is stored, and the log says so.

        Raises ``CacheConnectionError`` for a file that is not there or cannot be read, ``CacheValueError`` for one that
        is no snapshot.
        """
        from cachery.snapshots.restoring import restore_snapshot  # noqa: PLC0415 - loaded when it is used

        return restore_snapshot(self, path, options)

    def close(self) -> None:
        """Let what is loaded in the background end, then let go of everything."""
        self.drain()
        super().close()


def _weigher_of(kind: type[Any], given: Weigher) -> Weigher:
    """Return what weighs copies of a tier: where ``given`` fails, a copy is too heavy to be kept, and no read fails."""

    def weigh(key: str, kept: Any) -> int:
        if not isinstance(kept, kind):
            return given(key, kept)
        try:
            weight = given(key, kept.value)
        except Exception as error:  # noqa: BLE001 - reported
            import logging  # noqa: PLC0415 - loaded when there is something to say

            logging.getLogger("cachery").warning("a copy is not kept, as its weigher failed: %s", type(error).__name__)
            return sys.maxsize
        return weight if type(weight) is int and weight >= 0 else sys.maxsize

    return weigh


def weighing_by(max_bytes: Size | None, weigher: Weigher | None) -> tuple[int | None, Weigher | None]:
    """Return the bound in bytes and what weighs an entry. Raises ``CacheValueError`` for a weigher without a bound."""
    if max_bytes is None:
        if weigher is not None:
            raise CacheValueError("a weigher weighs for max_bytes: say how many there may be")
        return None, None
    if weigher is not None and not callable(weigher):
        raise CacheValueError(f"weigher is a function of key and value, not {type(weigher).__name__}")
    if weigher is None:
        from cachery.weighing import weigh_entry  # noqa: PLC0415 - loaded for caches that are bounded in bytes

        weigher = weigh_entry
    return min(bytes_of(max_bytes, "max_bytes"), sys.maxsize), weigher
