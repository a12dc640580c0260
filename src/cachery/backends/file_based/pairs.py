"""The two files of an entry, read and written so that they are one.

Writing: the new body is written aside; then the meta file is replaced by one with the new line **and** the old; then
the body. So after any of these steps, and wherever a writer ends, the body belongs to one line of the meta file: the
old value or the new one. Where there is no old value, the body comes first, and is nothing without its meta file.
Removing: the meta file first.

Reading takes no lock. A body that belongs to neither line was replaced in between: then both are read again, and at
last behind the writers, so that what fits even then nowhere was damaged.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from cachery.backends.file_based.files import Draft, Files
from cachery.backends.file_based.layout import BODY, META, hash_of
from cachery.backends.file_based.metas import LARGEST, Meta, Metas, body_digest, file_of, joined, lines_of
from cachery.backends.file_based.site import Hold, Site, place_of
from cachery.backends.file_based.tags import Tags
from cachery.exceptions import CacheError
from cachery.model.marks import marks_in
from cachery.ports.clock import Clock
from cachery.serializers.envelope import Unreadable
from cachery.serializers.pipeline import key_bytes
from cachery.sources.observing import NOT_THERE, stand

__all__ = ["Change", "Found", "Pairs"]

_TRIES = 4
_SPARE = 4096
_PATIENCE = 1.0


class Found(NamedTuple):
    """An entry: what is known about it, and its body, if that was asked for; ``is_outdated``: dead by a tag."""

    meta: Meta
    data: bytes = b""
    is_outdated: bool = False


class Change(NamedTuple):
    """What a change did to the number of entries and their bytes."""

    entries: int
    size: int


class Pairs:
    """The entries in ``site``. ``limit``: the most bytes of a value. Keys are given with their hashes."""

    def __init__(self, site: Site, metas: Metas, tags: Tags, limit: int, read_clock: Clock) -> None:
        self._site = site
        self._files: Files = site.files
        self._metas = metas
        self._tags = tags
        self._limit = limit + _SPARE
        self._read_clock = read_clock

    # Reading

    def look(self, key: str | None, key_hash: str, *, is_locked: bool = False) -> Found | None:
        """Return what stands under ``key``, with its body; ``None`` when nothing does.

        ``is_locked``: the caller holds the lock of the key. ``key`` is ``None`` when it is not known, but its hash is.
        Raises ``Unreadable``.
        """
        before: tuple[bytes, int] | None = None
        for _ in range(1 if is_locked else _TRIES):
            text = self._text(key_hash)
            if text is None:
                return None
            found, file = self._match(key, key_hash, text)
            if found is not None:
                return found
            if is_locked or before == (text, file):
                raise Unreadable("signature" if file else "file")
            before = (text, file)
        return self._look_behind_writers(key, key_hash)

    def opened(self, key: str | None, key_hash: str, line: bytes) -> Meta:
        """Return what ``line`` says, which was found in the file of the hash. Raises ``Unreadable``."""
        meta = self._metas.opened(line)
        if meta.key != key and (key is not None or hash_of(key_bytes(meta.key)) != key_hash):
            raise Unreadable("key")
        return meta

    def _text(self, key_hash: str) -> bytes | None:
        found = self._files.read(key_hash + META, LARGEST)
        return None if found is None else found[0]

    def _match(self, key: str | None, key_hash: str, text: bytes) -> tuple[Found | None, int]:
        """Return the entry in ``text`` whose body is there, and what the system calls the body, 0 for none.

        Tags are looked at before the body is: while that is there, the files of its tags are.
        """
        line, previous = lines_of(text)
        meta = self.opened(key, key_hash, line)
        is_dead = self.is_dead(meta)
        if is_dead and previous is None:
            return Found(meta, is_outdated=True), 0
        read = self._files.read(key_hash + BODY, self._limit, None if previous else meta.size)
        if read is None:
            return None, 0
        data, state = read
        if state.st_size == meta.size and body_digest(data) == meta.digest:
            return Found(meta, data, is_dead), state.st_ino
        found = None if previous is None else self._match_previous(key, key_hash, previous, data)
        return found, state.st_ino

    def is_dead(self, meta: Meta) -> bool:
        """Tell whether a tag was invalidated after its birth, or a source of it has changed since."""
        tags = meta.entry.tags
        if not tags:
            return False
        return self._tags.is_outdated(tags, meta.born) or not self.stands(meta)

    def stands(self, meta: Meta) -> bool:
        """Tell whether all that was seen of its sources looks the same now."""
        return stand(marks_in(meta.entry.tags), self._stamp_of)

    def _stamp_of(self, key: str) -> str:
        """Return what tells the value that is live under ``key`` from any other; empty where there is none."""
        key_hash = hash_of(key_bytes(key))
        with suppress(Unreadable):
            text = self._text(key_hash)
            meta = None if text is None else self.opened(key, key_hash, lines_of(text)[0])
            if meta is not None and meta.entry.fresh_until > self._read_clock():
                is_hit = meta.entry.tags and self._tags.is_outdated(meta.entry.tags, meta.born)
                return NOT_THERE if is_hit else meta.digest
        return NOT_THERE

    def _match_previous(self, key: str | None, key_hash: str, line: bytes, data: bytes) -> Found | None:
        """Return the entry of ``line`` if ``data`` is its body: another is just being written, or never was."""
        meta = self.opened(key, key_hash, line)
        if len(data) != meta.size or body_digest(data) != meta.digest:
            return None
        found = Found(meta, data, self.is_dead(meta))
        return found if self._files.has(key_hash + BODY) else None

    def _look_behind_writers(self, key: str | None, key_hash: str) -> Found | None:
        try:
            with Hold(self._site, place_of(key_hash), _PATIENCE):
                return self.look(key, key_hash, is_locked=True)
        except CacheError as error:
            raise Unreadable("file") from error

    def glance(self, key: str | None, key_hash: str, *, is_locked: bool = False) -> Found | None:
        """Return what stands under ``key``, without its body, which is looked at only when that must be.

        Raises ``Unreadable``.
        """
        text = self._text(key_hash)
        if text is None:
            return None
        meta = self.opened(key, key_hash, lines_of(text)[0])
        state = self._files.state(key_hash + BODY)
        if state is None or state.st_ino != meta.file or state.st_size != meta.size:
            return self.look(key, key_hash, is_locked=is_locked)
        return Found(meta, b"", self.is_dead(meta))

    # Writing: the caller holds the lock of the key

    def replace(self, key: str, key_hash: str, line: bytes, body: Draft, size: int) -> Change:
        """Let ``line`` and ``body``, of ``size`` bytes, be the entry of ``key``. A failure uses the draft up too."""
        try:
            old = self._files.read(key_hash + META, LARGEST)
        except Unreadable:  # and so overwritten
            old = None
        state = None if old is None else self._files.state(key_hash + BODY)
        previous = None
        if old is not None and state is not None:
            previous = self._line_in_effect(key, key_hash, old[0], state.st_ino)
        text = joined(line, previous)
        meta = self._draft_meta(key_hash, text, body)
        if previous is None:
            self._publish(body, key_hash + BODY, meta)
            self._files.publish(meta, key_hash + META)
        else:
            self._publish(meta, key_hash + META, body)
            self._files.publish(body, key_hash + BODY)
        gone = (0 if old is None else len(old[0])) + (0 if state is None else state.st_size)
        return Change(int(old is None), len(text) + size - gone)

    def _draft_meta(self, key_hash: str, text: bytes, body: Draft) -> Draft:
        try:
            return self._files.draft(key_hash, text)
        except BaseException:
            self._files.discard(body)
            raise

    def _publish(self, draft: Draft, name: str, other: Draft) -> None:
        """Give ``draft`` its name; if that fails, ``other`` is not wanted either."""
        try:
            self._files.publish(draft, name)
        except BaseException:
            self._files.discard(other)
            raise

    def _line_in_effect(self, key: str, key_hash: str, text: bytes, file: int) -> bytes | None:
        """Return the line of ``text`` whose body is there under the number ``file``; ``None`` when no line's is."""
        line = lines_of(text)[0]
        if file_of(line) == file:
            return line
        try:
            found = self.look(key, key_hash, is_locked=True)
        except Unreadable:
            return None
        return None if found is None else found.meta.line

    def restamp(self, key_hash: str, line: bytes) -> Change:
        """Let ``line`` say what is known about an entry, whose body stays."""
        before = self._files.state(key_hash + META)
        self._files.write(key_hash + META, line)
        return Change(0, len(line) - (0 if before is None else before.st_size))

    def remove(self, key_hash: str) -> Change:
        """Remove the entry of a key, whatever there is of it."""
        meta, body = self._files.state(key_hash + META), self._files.state(key_hash + BODY)
        was_there = self._files.remove(key_hash + META)
        self._files.remove(key_hash + BODY)
        size = sum(state.st_size for state in (meta, body) if state is not None)
        return Change(-int(was_there), -size)
