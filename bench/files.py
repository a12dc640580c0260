"""What ``FileBasedCache`` costs beside the least that writes two files so that nobody sees a half of one."""

from __future__ import annotations

import json
import os
import pickle
import time
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.disk_caches import RECORD, few_turns
from bench.effort import Effort
from bench.rows import Bar, Row, Topic
from bench.timing import Subject, nanoseconds_of
from cachery import FileBasedCache

__all__ = ["files"]

_PEER = "two files by hand"


def files(effort: Effort) -> Topic:
    """Measure ``get`` and ``set`` over an old value."""
    keys = [f"key:{number}" for number in range(min(effort.disk_sizes[0], 1000))]
    with TemporaryDirectory() as place, FileBasedCache(Path(place) / "ours") as ours:
        theirs = _ByHand(Path(place))
        subjects = [
            Subject(call, cache, keys, RECORD) for call in ("c.set(k, v)", "c.get(k)") for cache in (ours, theirs)
        ]
        own_set, their_set, own_get, their_get = nanoseconds_of(subjects, few_turns(effort))
    return Topic(
        "In files",
        [
            Row("FileBasedCache.set", own_set / 1e3, _PEER, their_set / 1e3, Bar(1.3), "µs"),
            Row("FileBasedCache.get", own_get / 1e3, _PEER, their_get / 1e3, Bar(1.3), "µs"),
        ],
        ["by hand: a pickle and a JSON sidecar, each written beside and renamed; nothing is signed, checked or locked"],
    )


class _ByHand:
    """A pickle and a sidecar for each key."""

    def __init__(self, place: Path) -> None:
        self._place = str(place)

    def set(self, key: str, value: Any) -> None:
        """Write both files."""
        stem = self._stem(key)
        about = {"key": key, "timestamp": time.time(), "ttl": None}
        _write(stem + ".cache", pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        _write(stem + ".meta", json.dumps(about).encode())

    def get(self, key: str) -> Any:
        """Read both files."""
        stem = self._stem(key)
        about = json.loads(_read(stem + ".meta"))
        return pickle.loads(_read(stem + ".cache")) if about["ttl"] is None else None  # noqa: S301 - it wrote that itself

    def _stem(self, key: str) -> str:
        return os.path.join(self._place, blake2b(key.encode(), digest_size=16).hexdigest())  # noqa: PTH118 - the least


def _write(path: str, data: bytes) -> None:
    file = os.open(path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(file, data)
    os.close(file)
    os.replace(path + ".tmp", path)  # noqa: PTH105 - the least


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    data = os.read(file, 2**20)
    os.close(file)
    return data
