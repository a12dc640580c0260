"""What is kept of each format, and how it was written: run as a script, this writes what is not there yet."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cachery import FileBasedCache, InMemoryCache, RedisCache
from cachery.backends.redis.records import ENVELOPE_AT, State
from cachery.invalidation import Key
from cachery.model.entry import Entry
from cachery.serializers import create_serializer
from cachery.serializers.compression import Compression
from cachery.serializers.encryption import Encryption
from cachery.serializers.envelope import VERSION
from cachery.serializers.keyring import Keyring
from cachery.serializers.pipeline import Codec, Recipe, key_bytes

PLACE = Path(__file__).parent
KEY = "user:42 é\ud800"
SECRET = "the secret of all snapshots"
VALUE = {
    "name": "Ada",
    "langs": ["en", "fr"],
    "age": 36,
    "score": 1.5,
    "is_active": True,
    "none": None,
    "text": "x" * 200,
}
ENTRY = Entry(None, 2000.0, 1500.0, 3000.0, ("red", "blå"), 2.5)
EPOCH = 7
ENCRYPTION = "the encryption of all snapshots"


def codec_of(serializer: str, compression: str | None, *, is_encrypted: bool) -> Codec:
    recipe = Recipe(
        create_serializer(serializer),
        None if compression is None else Compression(compression, limit=2**20),
        16,
        Encryption(ENCRYPTION) if is_encrypted else None,
    )
    return Codec(recipe, Keyring(SECRET, "snapshots"))


CODECS = {
    "pickle": codec_of("pickle", None, is_encrypted=False),
    "json": codec_of("json", None, is_encrypted=False),
    "msgpack": codec_of("msgpack", None, is_encrypted=False),
    "pickle-zlib": codec_of("pickle", "zlib", is_encrypted=False),
    "msgpack-zstd": codec_of("msgpack", "zstd", is_encrypted=False),
    "json-lz4-encrypted": codec_of("json", "lz4", is_encrypted=True),
}


def record_of(codec: Codec, value: Any) -> bytes:
    """Return the record as it is written today."""
    name = key_bytes(KEY)
    return codec.record_of(name, codec.body_of(name, value), ENTRY, EPOCH)


REDIS = {None: "msgpack", SECRET: "msgpack-signed"}
STATE = State(b"era of 8", 7, 3, 0)
"""The numbers of a cache on Redis; what it wrote was born after the third invalidation, and before the eighth."""


def redis_record_of(secret: str | None, client: Any) -> bytes:
    """Return the record that a cache on Redis writes, with a stamp and a version that chance did not choose."""
    with redis_cache(client, secret) as cache:
        cache.set(KEY, VALUE, 3600, tags=["red", "blå"])
        record: bytes = client.get(cache.names.entry(key_bytes(KEY)))
    return STATE.stamp + b"version." + record[ENVELOPE_AT:]


def redis_cache(client: Any, secret: str | None) -> RedisCache:
    """Return the cache on the server of ``client``."""
    return RedisCache(client=client, prefix="snapshots", secret=secret)


def files_in(place: Path) -> FileBasedCache:
    """Return the cache in files, at a time that does not pass."""
    return FileBasedCache(place, secret=SECRET, name="snapshots", clock=lambda: 1000.0)


def restored_from(place: Path) -> InMemoryCache:
    """Return a memory cache with what the snapshot ``place`` holds, if it is there, at a time that does not pass."""
    cache = InMemoryCache(policy="lfu", name="snapshots", clock=lambda: 1000.0)
    if place.exists():
        cache.restore(place, serializer="json", secret=SECRET, clock=lambda: 5000.0)
    return cache


def write_missing() -> None:
    """Write what is not there yet; nothing is ever written over."""
    for name, codec in CODECS.items():
        path = PLACE / f"record-{VERSION}-{name}.bin"
        if not path.exists():
            path.write_bytes(record_of(codec, VALUE))
    number = PLACE / f"record-{VERSION}-integer.bin"
    if not number.exists():
        number.write_bytes(record_of(CODECS["pickle"], -(2**70)))
    memory = PLACE / "memory-1-json.snapshot"
    if not memory.exists():
        with restored_from(memory) as cache:
            cache.set("other", 7)
            cache.write_entry(KEY, ENTRY._replace(value=VALUE))
            cache.get(KEY)
            cache.set("of other", 1, depends_on=[Key("other")])
            cache.snapshot(memory, serializer="json", secret=SECRET, clock=lambda: 5000.0)
    place = PLACE / "files-1"
    if not place.exists():
        with files_in(place) as cache:
            cache.set("user:42", VALUE, tags=["red"], ttl=math.inf)
        for path in place.iterdir():
            if path.name.startswith("."):
                path.unlink()


if __name__ == "__main__":
    write_missing()
