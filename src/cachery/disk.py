"""``DiskCache``: a cache that survives a restart, shared by the processes of a machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from cachery.backends.claim import claim
from cachery.backends.disk.checking import Health, check_store
from cachery.backends.disk.copies import Copy
from cachery.backends.disk.settings import Bounds, Settings
from cachery.backends.disk.store import DiskStore
from cachery.backends.observers import Both
from cachery.backends.places import default_place, private_directory
from cachery.backends.tiered import TieredStore
from cachery.codecs import EncryptionKeys, SerializerChoice, build_codec
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, life_of
from cachery.model.sizes import Size, bytes_of
from cachery.policies.table import capacity_of
from cachery.ports.clock import Clock
from cachery.ports.store import Observer
from cachery.serializers.keyring import Secret
from cachery.stored import StoredCache

__all__ = ["DiskCache"]

FORMAT = 1
_LARGEST = 2**44
_DURABILITIES = ("process", "commit")


class DiskCache(StoredCache):
    """A cache in a directory of this machine, on LMDB: many processes may use it at once, and reads never write.

    ``path``: its directory; ``None`` for one in this user's cache directory. ``default_ttl``: how long an entry lives
    that is stored without a TTL, ``None`` for ever. ``max_bytes``: the most bytes of all records; the entries used
    longest ago leave. ``max_size``: the most entries, ``None`` for any number. ``durability``: ``"process"``, writes
    survive the end of any process, however it comes, and after a fall of the machine the cache begins empty;
    ``"commit"``, each write reaches the device before it is done.

    ``serializer``: ``"pickle"``, ``"msgpack"``, ``"json"`` or a ``CacheSerializer``. ``secret``: what signs the
    records, text or bytes, or several, the newest first; ``None`` for ``CACHERY_SECRET`` or else a key of this user.
    ``compression``: ``"zlib"``, ``"zstd"`` or ``"lz4"`` for values of ``compression_threshold`` bytes and more.
    ``encryption``: one secret or several, the newest first. ``max_value_bytes``: the most bytes of one value.
    ``write_timeout``: seconds to wait for other writers before ``CacheTimeoutError``. ``lease_timeout``: seconds that a
    load waits for the load of the same key by another process.

    Raises ``CacheConnectionError`` for a directory that cannot be used or belongs to somebody else.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with DiskCache(place) as cache:
    ...         _ = cache.set("answer", {"value": 42})
    ...     with DiskCache(place) as cache:
    ...         cache.get("answer")
    {'value': 42}
    """

    store: DiskStore

    def __init__(  # noqa: PLR0913 - independent settings, all but two by name
        self,
        path: str | os.PathLike[str] | None = None,
        default_ttl: Duration | None = None,
        *,
        max_bytes: Size = "1GiB",
        max_size: int | None = None,
        serializer: SerializerChoice = "pickle",
        secret: Secret | None = None,
        durability: Literal["process", "commit"] = "process",
        compression: str | None = None,
        compression_threshold: Size = 1024,
        encryption: EncryptionKeys | None = None,
        max_value_bytes: Size = "256MiB",
        write_timeout: Duration = 30,
        lease_timeout: Duration = 600,
        clock: Clock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(default_ttl, clock=clock, name=name, max_size=max_size)
        if durability not in _DURABILITIES:
            raise CacheValueError(f"durability must be 'process' or 'commit', not {durability!r}")
        budget = bytes_of(max_bytes, "max_bytes")
        if budget > _LARGEST:
            raise CacheValueError(f"max_bytes is at most {_LARGEST:,}, not {max_bytes!r}")
        settings = Settings(
            Bounds(budget, capacity_of(max_size) or None),
            life_of(default_ttl),
            durability == "commit",
            life_of(write_timeout, "write_timeout"),
            life_of(lease_timeout, "lease_timeout"),
            clock,
            name,
        )
        place = private_directory(default_place("disk", name) if path is None else path)
        codec = build_codec(
            serializer=serializer,
            compression=compression,
            compression_threshold=compression_threshold,
            encryption=encryption,
            secret=secret,
            max_value_bytes=max_value_bytes,
            name=claim(place, "disk", FORMAT, name),
        )
        self.store = DiskStore(place, codec, settings, self)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}, "
        return f"<{type(self).__name__} {name}{str(self.path)!r}>"

    @property
    def path(self) -> Path:
        """The directory it is in."""
        return self.store.place

    @property
    def total_bytes(self) -> int:
        """The bytes of all records, large values included."""
        self.check_open()
        return self.store.volume.state.total

    def check(self, timeout: Duration | None = None) -> Health:
        """Go through the whole database in a child process, and say what is wrong with it.

        A page that never reached the device ends the process that reads it; so this one does not. Signatures are not
        looked at: ``cachery verify`` does that.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place, DiskCache(place) as cache:
        ...     _ = cache.set("a", 1)
        ...     cache.check()
        Health(records=1, problems=())
        """
        self.check_open()
        return check_store(self.path, None if timeout is None else life_of(timeout, "timeout"))

    def tier(self, near: Any, observer: Observer, later: object) -> DiskTier:
        """Return what makes a store with ``near`` before this cache, of which ``observer`` hears too."""
        del later
        self.store.observer = Both(self.store.observer, observer)
        near.weigh_within(Copy)
        return DiskTier(TieredStore(near, self.store, near.default_life))

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all verbs of this thread are one write: all of it happens, or nothing.

        Other writers wait meanwhile; nothing can be loaded within it.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place, DiskCache(place) as cache:
        ...     with cache.transaction():
        ...         _ = cache.incr("from", -10), cache.incr("to", 10)
        ...     cache.get_many(["from", "to"])
        {'from': -10, 'to': 10}
        """
        return self.store.transaction()


class DiskTier:
    """Memory before a disk (``ports.tier.Tier``): coherent by the store's own marks, with nothing in the background."""

    is_awaited = False
    look = None

    def __init__(self, store: TieredStore) -> None:
        self._store = store

    def blocking_store(self) -> TieredStore:
        """Return the store."""
        return self._store

    @property
    def let_go(self) -> Callable[[], None]:
        """What does nothing."""
        return _nothing

    def close(self) -> None:
        """Do nothing."""


def _nothing() -> None:
    pass
