"""Taking note of sources before a value is computed, and seeing later whether they stand as they did.

Whatever an entry depends on, directly or through the keys it depends on, stands among its own tags: what a key carries
is handed on to who depends on it. So each source is looked at once, however many ways lead to it, and nothing has to be
followed when something is invalidated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from cachery.exceptions import CacheInvalidationError
from cachery.model.marks import Mark, marks_in
from cachery.sources.files import is_unchanged
from cachery.sources.source import Key, Source, current_version

__all__ = [
    "NOT_THERE",
    "UNKNOWN",
    "Seen",
    "StampOf",
    "absent_keys",
    "absent_mark",
    "keys_in",
    "observe",
    "stand",
    "without_absent",
]

NOT_THERE = ""
"""The stamp of a key that is not there."""

UNKNOWN = "?"
"""The stamp of a key of which nothing could be learned: it never is the same."""

StampOf: TypeAlias = Callable[[str], str]
"""Returns what tells the entry that is live under a key from any other that was or will be; or ``NOT_THERE``."""


class Seen(NamedTuple):
    """What was seen under a key: its stamp, and the tags it carries."""

    stamp: str = NOT_THERE
    tags: tuple[str, ...] = ()


def observe(keys: Sequence[str], sources: Iterable[Source], look: Callable[[str], Seen]) -> tuple[str, ...]:
    """Return the tags of entries under ``keys`` that depend on ``sources`` as they are now.

    ``look`` tells what is under another key. Raises ``CacheInvalidationError`` where one would depend on itself.
    """
    tags: dict[str, None] = {}
    for source in sources:
        tags.update(dict.fromkeys(source.tags()))
        tags.update(dict.fromkeys(_seen(keys, source, look) if isinstance(source, Key) else source.seen()))
    return tuple(tags)


def _seen(keys: Sequence[str], source: Key, look: Callable[[str], Seen]) -> tuple[str, ...]:
    seen = look(source.name)
    above = {source.name, *keys_in(seen.tags)}
    for key in keys:
        if key in above:
            reason = "that is itself" if key == source.name else f"{source.name!r} depends on it"
            message = f"{key!r} cannot depend on {source.name!r}: {reason}"
            raise CacheInvalidationError(message, key=key, source=source.name)
    return (Mark("key", seen.stamp, source.name).tag, *seen.tags)


def stand(marks: Iterable[Mark], stamp_of: StampOf) -> bool:
    """Tell whether everything that ``marks`` say was seen looks the same now."""
    for mark in marks:  # noqa: SIM110 - a generator would take twice the time
        if not _stands(mark, stamp_of):
            return False
    return True


def _stands(mark: Mark, stamp_of: StampOf) -> bool:
    if mark.kind == "file":
        return is_unchanged(mark.name, mark.seen)
    if mark.kind == "key":
        return mark.seen != UNKNOWN and stamp_of(mark.name) == mark.seen
    return mark.kind == "version" and current_version(mark.name) in {None, mark.seen}


def keys_in(tags: tuple[str, ...]) -> list[str]:
    """Return the keys that ``tags`` say were seen."""
    return [mark.name for mark in marks_in(tags) if mark.kind == "key"]


def without_absent(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``tags`` but for the marks of keys that were not there."""
    absent = {absent_mark(key.name) for key in absent_keys(tags)}
    return tuple(tag for tag in tags if tag not in absent)


def absent_mark(name: str) -> str:
    """Return the tag that says that the key ``name`` was not there."""
    return Mark("key", NOT_THERE, name).tag


def absent_keys(tags: tuple[str, ...]) -> list[Key]:
    """Return the keys that were not there when they were looked at."""
    return [Key(mark.name) for mark in marks_in(tags) if mark.kind == "key" and mark.seen == NOT_THERE]
