"""``FileBasedCache``: a cache in plain files that people can look into, shared by processes and machines."""

from __future__ import annotations

import os
from pathlib import Path

from cachery.backends.claim import claim
from cachery.backends.file_based.budget import Bounds
from cachery.backends.file_based.shelf import Settings
from cachery.backends.file_based.store import FileStore
from cachery.backends.places import default_place, private_directory
from cachery.codecs import EncryptionKeys, SerializerChoice, build_codec
from cachery.model.durations import Duration, life_of
from cachery.model.sizes import Size, bytes_of
from cachery.policies.table import capacity_of
from cachery.ports.clock import Clock
from cachery.serializers.keyring import Secret
from cachery.stored import StoredCache

__all__ = ["FileBasedCache"]

FORMAT = 1


class FileBasedCache(StoredCache):
    """A cache in a directory of plain files, two for each entry: the value, and JSON that says what is known about it.

    For large artefacts, for people who look into files, for network drives and shared volumes, up to a hundred thousand
    entries; ``DiskCache`` is faster on the disk of one machine. Many processes may use it at once, and reading never
    writes. A crash at any moment leaves the old value or the new one.

    ``cache_dir``: its directory; ``None`` for one in this user's cache directory. ``default_ttl``: how long an entry
    lives that is stored without a TTL, ``None`` for ever. ``max_bytes``: about the most bytes of all files, ``None``
    for any number; the entries used longest ago leave. ``max_size``: the most entries, ``None`` for any number; exact
    as long as nobody else writes.

    ``serializer``: ``"pickle"``, ``"msgpack"``, ``"json"`` or a ``CacheSerializer``. ``secret``: what signs the
    entries, text or bytes, or several, the newest first; ``None`` for ``CACHERY_SECRET`` or else a key of this user.
    ``compression``: ``"zlib"``, ``"zstd"`` or ``"lz4"`` for values of ``compression_threshold`` bytes and more.
    ``encryption``: one secret or several, the newest first. ``max_value_bytes``: the most bytes of one value.
    ``write_timeout``: seconds to wait for another writer of the same key before ``CacheTimeoutError``.
    ``lease_timeout``: seconds that a load waits for the load of the same key by another process.

    Raises ``CacheConnectionError`` for a directory that cannot be used or belongs to somebody else.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with FileBasedCache(place) as cache:
    ...         _ = cache.set("answer", {"value": 42})
    ...     with FileBasedCache(place) as cache:
    ...         cache.get("answer")
    {'value': 42}
    """

    store: FileStore

    def __init__(  # noqa: PLR0913 - independent settings, all but two by name
        self,
        cache_dir: str | os.PathLike[str] | None = None,
        default_ttl: Duration | None = None,
        *,
        serializer: SerializerChoice = "pickle",
        secret: Secret | None = None,
        max_bytes: Size | None = None,
        max_size: int | None = None,
        compression: str | None = None,
        compression_threshold: Size = 1024,
        encryption: EncryptionKeys | None = None,
        max_value_bytes: Size = "256MiB",
        write_timeout: Duration = 30,
        lease_timeout: Duration = 600,
        clock: Clock | None = None,
        name: str | None = None,
    ) -> None:
        most_bytes = None if max_bytes is None else bytes_of(max_bytes, "max_bytes")
        settings = Settings(
            Bounds(most_bytes, capacity_of(max_size) or None),
            life_of(default_ttl),
            life_of(write_timeout, "write_timeout"),
            life_of(lease_timeout, "lease_timeout"),
            clock,
            name,
        )
        super().__init__(default_ttl, clock=clock, name=name, max_size=max_size)
        place = private_directory(default_place("file_based", name) if cache_dir is None else cache_dir)
        codec = build_codec(
            serializer=serializer,
            compression=compression,
            compression_threshold=compression_threshold,
            encryption=encryption,
            secret=secret,
            max_value_bytes=max_value_bytes,
            name=claim(place, "file_based", FORMAT, name),
        )
        self.store = FileStore(place, codec, settings, self)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r}, "
        return f"<{type(self).__name__} {name}{str(self.cache_dir)!r}>"

    @property
    def cache_dir(self) -> Path:
        """The directory it is in."""
        return self.store.place
