"""Which keys are hot, kept in a file: what was in demand before a restart is warmed after it."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from cachery.backends.places import refusal
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole
from cachery.warmers.providers import KeyProvider

__all__ = ["RememberedKeyProvider"]

_log = logging.getLogger("cachery")


class RememberedKeyProvider(KeyProvider):
    """The keys that ``save`` wrote into the file ``path``, a list in JSON, the hottest first; at most ``limit``.

    A file that is not there gives no keys; one that cannot be read gives none either, and a line in the log.

    >>> import tempfile
    >>> from cachery import InMemoryCache
    >>> with tempfile.TemporaryDirectory() as place, InMemoryCache() as cache:
    ...     _ = cache.set_many({"a": 1, "b": 2}), cache.get("b")
    ...     hot = RememberedKeyProvider(f"{place}/hot.json")
    ...     hot.save(cache), RememberedKeyProvider(f"{place}/hot.json").get_keys()
    (1, ['b'])
    """

    def __init__(self, path: str | os.PathLike[str], limit: int = 1000) -> None:
        check_whole(limit=limit)
        if limit < 1:
            raise CacheValueError(f"limit is 1 or more, not {limit}")
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise CacheValueError(f"path is that of a file, not {path!r}")
        self.path = Path(path)
        self.limit = limit

    def __repr__(self) -> str:
        return f"RememberedKeyProvider({str(self.path)!r})"

    def get_keys(self) -> list[str]:
        """Return the keys in the file."""
        try:
            found = json.loads(self.path.read_bytes())
            if not isinstance(found, list) or not all(isinstance(key, str) for key in found):
                raise ValueError("it holds no list of keys")
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("the hot keys in %s cannot be read, so there are none: %s", self.path, error)
            return []
        return found[: self.limit]

    def save(self, cache: Any) -> int:
        """Write the hottest keys of ``cache``, of either kind, in the place of those in the file; return how many.

        Readers see the old file or the new one. Only this user may read it. Raises ``CacheConnectionError`` or
        ``CacheFullError`` when it cannot be written; the old one is there then.
        """
        if not hasattr(getattr(cache, "stats", None), "hottest_keys"):
            raise CacheValueError(f"what is saved are hot keys of a cache of cachery, not of {type(cache).__name__}")
        keys = [key for key, _ in cache.stats.hottest_keys(self.limit)]
        written = None
        try:
            handle, written = mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # 0600
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump(keys, file)
                file.flush()
                os.fsync(file.fileno())
            Path(written).replace(self.path)
        except OSError as error:
            if written is not None:
                Path(written).unlink(missing_ok=True)
            raise refusal(error, self.path, "write") from error
        return len(keys)
