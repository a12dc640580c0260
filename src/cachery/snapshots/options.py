"""What ``snapshot`` and ``restore`` take, and what it makes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from cachery.codecs import EncryptionKeys, SerializerChoice, build_codec
from cachery.exceptions import CacheValueError
from cachery.model.sizes import Size
from cachery.ports.clock import Clock, wall
from cachery.serializers.keyring import Keyring, Secret
from cachery.serializers.pipeline import Codec

__all__ = ["Means", "SnapshotOptions", "checked_place", "means_of"]


class SnapshotOptions(TypedDict, total=False):
    """How ``snapshot`` writes and ``restore`` reads; to both the same is given.

    ``serializer``: ``"pickle"``, which is what is used when nothing is said, ``"msgpack"``, ``"json"`` or a
    ``CacheSerializer``. ``compression``: ``"zlib"``, ``"zstd"`` or ``"lz4"`` for values of ``compression_threshold``
    bytes and more, 1,024 when nothing is said. ``encryption``: one secret or several, the newest first. ``secret``:
    what signs the entries, text or bytes, or several, the newest first; ``None`` for ``CACHERY_SECRET`` or else a key
    of this user. ``max_value_bytes``: the most bytes of one value, ``"256MiB"``. ``clock``: a function that returns the
    wall clock's seconds, for tests.
    """

    serializer: SerializerChoice
    compression: str | None
    compression_threshold: Size
    encryption: EncryptionKeys | None
    secret: Secret | None
    max_value_bytes: Size
    clock: Clock


class Means(NamedTuple):
    """What entries are written and read with. ``clock`` is the wall clock."""

    codec: Codec
    keyring: Keyring
    clock: Clock


_DEFAULTS: SnapshotOptions = {
    "serializer": "pickle",
    "compression": None,
    "compression_threshold": 1024,
    "encryption": None,
    "secret": None,
    "max_value_bytes": "256MiB",
}


def means_of(name: str | None, options: SnapshotOptions) -> Means:
    """Return what the ``options`` of a cache called ``name`` ask for. Raises ``CacheValueError`` for a wrong one."""
    given: dict[str, Any] = {**_DEFAULTS, **options}
    clock = given.pop("clock", wall)
    unknown = sorted(given.keys() - _DEFAULTS.keys())
    if unknown:
        raise TypeError(
            f"a snapshot has no option {unknown[0]!r}; there are {', '.join(sorted((*_DEFAULTS, 'clock')))}"
        )
    if not callable(clock):
        raise CacheValueError(f"clock is a function that returns seconds, not {type(clock).__name__}")
    codec = build_codec(**given, name=name or "")
    if codec.keyring is None:  # build_codec makes none only for what machines share
        raise CacheValueError("a snapshot is read only when it is signed: give it a secret=")
    return Means(codec, codec.keyring, clock)


def checked_place(path: str | os.PathLike[str]) -> Path:
    """Return ``path``. Raises ``CacheValueError`` for what is no path of a file."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise CacheValueError(f"path is that of a file, not {path!r}")
    return Path(path)
