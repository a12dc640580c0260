"""All files at once: which entries there are, as far as their meta files tell.

What a meta file says is remembered, so that looking at all of them again costs one call of the system for each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cachery.backends.file_based.files import Files
from cachery.backends.file_based.layout import BODY, FENCE, META, TAG, parts_of, writer_of
from cachery.backends.file_based.metas import LARGEST, Meta, claims_of, lines_of
from cachery.backends.file_based.pairs import Pairs
from cachery.serializers.envelope import Unreadable

__all__ = ["Listing", "Survey", "age_of"]


class Listing(NamedTuple):
    """The files of a directory by their kinds, each by its hash but for ``drafts``, which go by their names."""

    metas: dict[str, os.DirEntry[str]]
    bodies: dict[str, os.DirEntry[str]]
    fences: dict[str, os.DirEntry[str]]
    tags: dict[str, os.DirEntry[str]]
    drafts: dict[str, os.DirEntry[str]]


class _Memory(NamedTuple):
    """A meta file as it was: its time, size and number, that of its body, and what it says, if that can be read."""

    stamp: tuple[int, int, int, int]
    meta: Meta | None

    @property
    def is_doubtful(self) -> bool:
        """Whether its body is not the file that it was written for."""
        return self.meta is not None and self.meta.file != self.stamp[3]


class Survey:
    """Looks at all of ``files``. ``report`` is told the key and the reason of what is found unreadable, once."""

    def __init__(self, files: Files, pairs: Pairs, report: Callable[[str, str], None]) -> None:
        self._files = files
        self._pairs = pairs
        self._report = report
        self._known: dict[str, _Memory] = {}

    def listing(self) -> Listing:
        """Return which files there are."""
        listing = Listing({}, {}, {}, {}, {})
        kinds = {META: listing.metas, BODY: listing.bodies, FENCE: listing.fences, TAG: listing.tags}
        for entry in self._files.listed():
            parts = parts_of(entry.name)
            if parts is not None:
                kinds[parts[1]][parts[0]] = entry
            elif writer_of(entry.name) is not None:
                listing.drafts[entry.name] = entry
        return listing

    def entries(self, listing: Listing) -> Iterator[tuple[str, Meta]]:
        """Give the hash of each entry that can be read, with what is known about it."""
        known: dict[str, _Memory] = {}
        for key_hash, entry in listing.metas.items():
            body = listing.bodies.get(key_hash)
            memory = None if body is None else self._memory(key_hash, entry, body)
            if memory is not None:
                known[key_hash] = memory
                if memory.meta is not None:
                    yield key_hash, memory.meta
        self._known = known

    def _memory(self, key_hash: str, entry: os.DirEntry[str], body: os.DirEntry[str]) -> _Memory | None:
        try:
            state = entry.stat(follow_symlinks=False)
        except OSError:  # it is gone
            return None
        stamp = (state.st_mtime_ns, state.st_size, state.st_ino, body.inode())
        known = self._known.get(key_hash)
        if known is not None and known.stamp == stamp:
            return known
        try:
            return _Memory(stamp, self._meta(key_hash, body.inode()))
        except Unreadable as unreadable:
            self._report(self.key_of(key_hash), unreadable.reason)
            return _Memory(stamp, None)

    def _meta(self, key_hash: str, file: int) -> Meta | None:
        """Return what is known about an entry whose body the system calls ``file``."""
        found = self._files.read(key_hash + META, LARGEST)
        if found is None:
            return None
        meta = self._pairs.opened(None, key_hash, lines_of(found[0])[0])
        if meta.file != file:  # it is just being replaced, or never was, or this is a copy of another directory
            pair = self._pairs.look(None, key_hash)
            return None if pair is None else pair.meta
        return meta

    def key_of(self, key_hash: str) -> str:
        """Return the key that the meta file says it is for, unchecked; empty when it says none."""
        keys = [said.get("key") for said in self._claims(key_hash)]
        return next((key for key in keys if isinstance(key, str)), "")

    def tags_of(self, key_hash: str) -> set[str]:
        """Return the tags that the meta file speaks of, unchecked."""
        lists = [said.get("tags") for said in self._claims(key_hash)]
        return {tag for tags in lists if isinstance(tags, list) for tag in tags if isinstance(tag, str)}

    def _claims(self, key_hash: str) -> list[dict[str, object]]:
        try:
            found = self._files.read(key_hash + META, LARGEST)
        except Unreadable:
            return []
        return [] if found is None else claims_of(found[0])

    def doubtful(self) -> set[str]:
        """Return the hashes of the entries seen last whose bodies are not the files that they were written for."""
        return {key_hash for key_hash, memory in self._known.items() if memory.is_doubtful}

    def forget(self) -> None:
        """Remember nothing."""
        self._known = {}


def age_of(entry: os.DirEntry[str], now: float) -> float:
    """Return how many seconds ago a file was changed, when the file system's clock shows ``now``."""
    try:
        return now - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0
