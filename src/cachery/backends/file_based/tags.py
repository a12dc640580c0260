"""Invalidations, numbered: one number for the whole directory, and for each tag that of its last invalidation.

An entry with tags knows the number that stood at its birth, for a loaded one when its load began; it is dead if a tag
of it was invalidated later. So invalidating a tag costs the same however many entries carry it, and entries without
tags cost nothing. Clearing, and removing by a pattern, is numbered too, as the ``epoch``: a load that was born before
is refused.

The number is written before the files of the tags. Who begins to load in between has begun within the invalidation, and
who ends in between has invalidated nothing.

The file of a tag goes when nobody carries it any more. ``forgotten`` is the number that stood then: of a load that was
born before, and brings tags, nobody knows any more whether they were invalidated, so it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from cachery.backends.file_based.files import Files
from cachery.backends.file_based.layout import META, SEQUENCE, TAG, parts_of, tag_hash
from cachery.backends.file_based.metas import LARGEST, claims_of
from cachery.backends.file_based.site import EVERYTHING, Hold, Site
from cachery.serializers.envelope import Unreadable

__all__ = ["Numbers", "Tags"]

_SMALL = 2**16
_LONGEST_NAME = 4096
_UNKNOWN = float("inf")


class Numbers(NamedTuple):
    """What ``.sequence`` says: the number of the last invalidation, of all or a tag; of all; what is forgotten."""

    number: int = 0
    epoch: int = 0
    forgotten: int = 0


class Tags:
    """The invalidations in ``site``. Who changes anything waits for others at most ``timeout`` seconds."""

    def __init__(self, site: Site, timeout: float) -> None:
        self._site = site
        self._files: Files = site.files
        self._timeout = timeout
        self.written = 0

    def numbers(self) -> Numbers | None:
        """Return the numbers that stand now; ``None`` when their file is damaged."""
        try:
            found = self._files.read(SEQUENCE, _SMALL)
        except Unreadable:
            return None
        return Numbers() if found is None else _numbers_in(found[0])

    def number(self) -> int:
        """Return the number that stands now: the birth of an entry that is made now."""
        found = self.numbers()
        if found is None:
            with self._alone():
                found = self._sound_numbers()
                self._write(found)
        return found.number

    def is_outdated(self, tags: Iterable[str], born: int) -> bool:
        """Tell whether one of ``tags`` was invalidated after ``born``."""
        return any(self.hit_number(tag) > born for tag in tags)

    def hit_number(self, tag: str) -> float:
        """Return the number of the last invalidation of ``tag``: 0 for none, ``inf`` when its file is damaged."""
        try:
            found = self._files.read(tag_hash(tag) + TAG, _SMALL)
        except Unreadable:
            return _UNKNOWN
        return 0 if found is None else _number_in(found[0])

    def admits(self, born: int, tags: tuple[str, ...]) -> bool:
        """Tell whether nothing was cleared since ``born``, and none of ``tags`` invalidated."""
        numbers = self.numbers()
        if numbers is None or numbers.epoch > born:
            return False
        if not tags or numbers.number == born:
            return True
        if self.is_outdated(tags, born):
            return False
        numbers = self.numbers()  # only now: the file of a tag may have gone just before
        return numbers is not None and max(numbers.forgotten, numbers.epoch) <= born

    def hit(self, tags: tuple[str, ...]) -> None:
        """Give an invalidation of ``tags`` its number."""
        with self._alone():
            numbers = self._sound_numbers()
            numbers = numbers._replace(number=numbers.number + 1)
            self._write(numbers)
            for tag in tags:
                said = {"number": numbers.number, "tag": tag[:_LONGEST_NAME]}
                self._files.write(tag_hash(tag) + TAG, json.dumps(said).encode("ascii"))
        self.written += len(tags)

    def hit_all(self) -> int:
        """Give an invalidation of everything its number, and return that."""
        with self._alone():
            numbers = self._sound_numbers()
            number = numbers.number + 1
            self._write(Numbers(number, number, numbers.forgotten))
        return number

    def forget(self, hashes: Iterable[str], number: int) -> None:
        """Remove the files of tags, by their hashes, but those hit after ``number``: nobody carried them then."""
        with self._alone():
            numbers = self._sound_numbers()
            self._write(numbers._replace(forgotten=numbers.number))
            for name in [tag + TAG for tag in hashes]:
                if self._is_hit_by(name, number):
                    self._files.remove(name)

    def _is_hit_by(self, name: str, number: int) -> bool:
        try:
            found = self._files.read(name, _SMALL)
        except Unreadable:
            return True
        return found is not None and not number < _number_in(found[0]) < _UNKNOWN

    def _alone(self) -> Hold:
        return Hold(self._site, EVERYTHING, self._timeout)

    def _write(self, numbers: Numbers) -> None:
        self._files.write(SEQUENCE, json.dumps(numbers._asdict()).encode("ascii"))

    def _sound_numbers(self) -> Numbers:
        """Return the numbers that stand now. If their file is gone or damaged, they are found by looking at all others.

        They are above all that is known then, so that nothing invalidated comes back; loads under way are refused.
        """
        found = self.numbers()
        if found is not None and found.number:
            return found
        known = [number for entry in self._files.listed() for number in self._numbers_of(entry.name)]
        number = max(known, default=0) + 1
        return Numbers(number, number, number) if known or found is None else Numbers()

    def _numbers_of(self, name: str) -> list[int]:
        """Return the numbers that the file ``name`` knows of."""
        parts = parts_of(name)
        if parts is None or parts[1] not in {META, TAG}:
            return []
        try:
            found = self._files.read(name, LARGEST)
        except Unreadable:
            return []
        if found is None:
            return []
        if parts[1] == TAG:
            number = _number_in(found[0])
            return [] if number == _UNKNOWN else [int(number)]
        births = [said.get("born") for said in claims_of(found[0])]
        return [born for born in births if type(born) is int and born]


def _numbers_in(data: bytes) -> Numbers | None:
    try:
        said = json.loads(data)
        numbers = Numbers(int(said["number"]), int(said["epoch"]), int(said["forgotten"]))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return numbers if 0 <= max(numbers.epoch, numbers.forgotten) <= numbers.number else None


def _number_in(data: bytes) -> float:
    try:
        number = json.loads(data)["number"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return _UNKNOWN
    return number if type(number) is int and number >= 0 else _UNKNOWN
