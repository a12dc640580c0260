"""What ``FileBasedCache`` costs beside the least that writes two files so that nobody sees a half of one."""

from __future__ import annotations

import json
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
        self._place = place

    def set(self, key: str, value: Any) -> None:
        """Write both files."""
        stem = self._stem(key)
        about = {"key": key, "timestamp": time.time(), "ttl": None}
        _write(stem.with_suffix(".cache"), pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        _write(stem.with_suffix(".meta"), json.dumps(about).encode())

    def get(self, key: str) -> Any:
        """Read both files."""
        stem = self._stem(key)
        about = json.loads(stem.with_suffix(".meta").read_bytes())
        return pickle.loads(stem.with_suffix(".cache").read_bytes()) if about["ttl"] is None else None  # noqa: S301 - it wrote that itself

    def _stem(self, key: str) -> Path:
        return self._place / blake2b(key.encode(), digest_size=16).hexdigest()


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".tmp")
    draft.write_bytes(data)
    draft.replace(path)
