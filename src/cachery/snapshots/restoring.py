"""Brings back what a snapshot holds, as far as nothing newer is known."""

from __future__ import annotations

import logging
import os
from collections import Counter
from typing import NamedTuple

from cachery.backends.in_memory.fences import LoadToken
from cachery.backends.in_memory.portable import Arrival, Carried, PortableStore
from cachery.events import Unreadable as UnreadableEvent
from cachery.events import notify
from cachery.model.entry import Freshness, classify
from cachery.model.marks import Mark
from cachery.serializers.envelope import Unreadable, key_of
from cachery.snapshots.layout import FACTS, opened_entry
from cachery.snapshots.options import Means, SnapshotOptions, checked_place, means_of
from cachery.snapshots.reading import Part, Reading, opened

__all__ = ["restore_snapshot"]

_log = logging.getLogger("cachery")

_CURES = {
    "compression": "restore with the compression= that the snapshot was taken with",
    "encryption": "restore with the encryption= that the snapshot was taken with",
    "secret": "another secret signed them: give the secret= or CACHERY_SECRET that the snapshot was taken with",
    "serializer": "restore with the serializer= that the snapshot was taken with",
    "signature": "they were changed, or are of a cache with another name=",
    "value": "what their values are made of has changed or is gone",
}


def restore_snapshot(cache: PortableStore, path: str | os.PathLike[str], options: SnapshotOptions) -> int:
    """Store what the file ``path`` holds in ``cache``; return how many entries (``InMemoryCache.restore``)."""
    place = checked_place(path)
    means = means_of(cache.name, options)
    cache.check_open()
    with opened(place) as file:
        reading = Reading(file, place, means.keyring)
        token, base = cache.begin_arrivals(reading.head.serials if reading.is_trusted else 0)
        try:
            arrivals = Arrivals(cache, means, token, _shift(cache, means, reading, base))
            arrivals.take_all(reading)
        finally:
            cache.end_arrivals(token)
    if arrivals.unreadable:
        told = "; ".join(f"{count} ({_CURES.get(reason, reason)})" for reason, count in arrivals.unreadable.items())
        _log.warning("of the entries in the snapshot %s these cannot be read and are left out: %s", place, told)
    if not reading.is_whole and not arrivals.is_full:
        _log.warning("the snapshot %s is cut short or damaged: %d entries were restored", place, arrivals.stored)
    return arrivals.stored


class Shift(NamedTuple):
    """How what was written is brought to where it is read: ``seconds`` are added to times, ``base`` to serials."""

    now: float
    seconds: float
    base: int


def _shift(cache: PortableStore, means: Means, reading: Reading, base: int) -> Shift:
    now = cache.read_clock()
    passed = max(0.0, means.clock() - reading.head.taken_at)  # a wall clock that was set back takes nothing off
    return Shift(now, now - passed, base)


_MOST_MISFITS = 1000
"""After so many entries that are heavier than what room is left, no lighter ones are looked for."""


class Arrivals:
    """Entries that are brought into ``cache`` with ``token``."""

    def __init__(self, cache: PortableStore, means: Means, token: LoadToken, shift: Shift) -> None:
        self._cache = cache
        self._codec = means.codec
        self._token = token
        self._shift = shift
        self.stored = 0
        self.is_full = False
        self.misfits = 0
        self.unreadable: Counter[str] = Counter()

    def take_all(self, reading: Reading) -> None:
        """Store what is read, until there is no room left."""
        for part in reading.entries():
            try:
                carried = self._carried(reading, part)
            except Unreadable as unreadable:
                self._note(key_of(part.data[FACTS.size :]), unreadable.reason)
                continue
            if carried is None:
                continue
            arrival = self._cache.arrive(carried, self._token)
            self.stored += arrival is Arrival.STORED
            self.misfits += arrival is Arrival.TOO_HEAVY
            if arrival is Arrival.FULL or self.misfits > _MOST_MISFITS:
                self.is_full = True
                return

    def _carried(self, reading: Reading, part: Part) -> Carried | None:
        """Return what stands in ``part``; ``None`` when its time is over. Raises ``Unreadable``."""
        reading.check(part)
        facts, envelope = opened_entry(part.data)
        entry = envelope.entry(None)
        seconds, base = self._shift.seconds, self._shift.base
        entry = entry._replace(
            fresh_until=seconds + entry.fresh_until,
            refresh_at=seconds + entry.refresh_at,
            stale_until=seconds + entry.stale_until,
            tags=tuple([_renumbered(tag, base) for tag in entry.tags]),
        )
        if classify(entry, self._shift.now) is Freshness.DEAD:
            return None
        entry = entry._replace(value=self._codec.value_of(envelope.key, envelope.body))
        serial = facts.serial + base if facts.serial else 0
        key = envelope.key.decode("utf-8", "surrogatepass")
        ends = seconds + facts.ends
        return Carried(key, entry, facts.hits, facts.frequency, facts.segment, serial, facts.idle, ends)

    def _note(self, key: str, reason: str) -> None:
        self.unreadable[reason] += 1
        notify(self._cache.listeners, UnreadableEvent(self._cache.name, key, reason))


def _renumbered(tag: str, base: int) -> str:
    """Return ``tag`` with the serial in it, if it is the mark of an entry, as that entry has it here."""
    mark = Mark.read(tag)
    if mark is None or mark.kind != "key" or not mark.seen.isdecimal():
        return tag
    return mark._replace(seen=str(int(mark.seen) + base)).tag
