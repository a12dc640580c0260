"""What says of a key that it is being loaded: a file, there as long as somebody loads.

Who changes the key otherwise removes the file, and with it the right of every load that began before to store what it
brings. Loads of one fence are counted as they begin: when one is stored, those that began earlier are refused. Whoever
changes a fence holds the lock of its key.
"""

from __future__ import annotations

import json
from secrets import token_hex
from typing import NamedTuple

from cachery.backends.file_based.files import Files
from cachery.backends.file_based.layout import FENCE
from cachery.serializers.envelope import Unreadable

__all__ = ["Fence", "Fences"]

_SMALL = 2**17
_LONGEST_NAME = 4096


class Fence(NamedTuple):
    """A fence: its name, how many loads began, which of them was stored last, how many are under way."""

    id: str
    begun: int = 0
    settled: int = 0
    holders: int = 0


class Fences:
    """The fences among ``files``. Keys are given by their hashes."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, key_hash: str) -> Fence | None:
        """Return the fence of a key; ``None`` when there is none, or a damaged one: then its loads are refused."""
        try:
            found = self._files.read(key_hash + FENCE, _SMALL)
            if found is None:
                return None
            said = json.loads(found[0])
            return Fence(str(said["id"]), int(said["begun"]), int(said["settled"]), int(said["holders"]))
        except (Unreadable, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None

    def ensure(self, key: str, key_hash: str) -> Fence:
        """Return the fence of ``key``, made if there is none."""
        fence = self.read(key_hash)
        if fence is None:
            fence = Fence(token_hex(8))
            self._write(key, key_hash, fence)
        return fence

    def begin(self, key: str, key_hash: str) -> Fence:
        """Count one more load of ``key``; return its fence, where ``begun`` is the number of this load."""
        fence = self.read(key_hash) or Fence(token_hex(8))
        fence = fence._replace(begun=fence.begun + 1, holders=fence.holders + 1)
        self._write(key, key_hash, fence)
        return fence

    def settle(self, key: str, key_hash: str, number: int) -> None:
        """Note that the load of that number is being stored: none that began earlier may be, after it.

        Where it is the only one that is under way, there is nobody to refuse.
        """
        fence = self.read(key_hash)
        if fence is not None and fence.holders > 1 and fence.settled != number:
            self._write(key, key_hash, fence._replace(settled=number))

    def end(self, key: str, key_hash: str, name: str) -> None:
        """Count one load less, if the fence is the one called ``name``; with the last it goes."""
        fence = self.read(key_hash)
        if fence is None or fence.id != name:
            return
        if fence.holders <= 1:
            self.remove(key_hash)
        else:
            self._write(key, key_hash, fence._replace(holders=fence.holders - 1))

    def remove_idle(self, key_hash: str) -> None:
        """Remove the fence of a key if nobody loads it."""
        fence = self.read(key_hash)
        if fence is not None and fence.holders <= 0:
            self.remove(key_hash)

    def overtake(self, key_hash: str) -> None:
        """Refuse all loads of a key that are under way."""
        if self._files.has(key_hash + FENCE):
            self.remove(key_hash)

    def remove(self, key_hash: str) -> None:
        """Remove the fence of a key."""
        self._files.remove(key_hash + FENCE)

    def admits(self, key_hash: str, name: str, number: int) -> bool:
        """Tell whether the load of that number may be stored, which began behind the fence called ``name``."""
        fence = self.read(key_hash)
        return fence is not None and fence.id == name and fence.settled <= number

    def _write(self, key: str, key_hash: str, fence: Fence) -> None:
        said = {"key": key[:_LONGEST_NAME], **fence._asdict()}
        self._files.write(key_hash + FENCE, json.dumps(said).encode("ascii"))
