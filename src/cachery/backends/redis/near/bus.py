"""How processes tell one another what they change: by what the server tells of itself, or by what they publish.

*Tracking*: the server sends the names of all that is written, deleted, evicted or over, whoever did it, under the
prefixes of the cache (``CLIENT TRACKING ON BCAST``, Redis 6). A message names neither its sender nor a version.

*Publishing*: who changes something publishes its names, in the same pipeline, with its own identity, so that an echo is
known. Only those who publish are heard.

On both, a probe of one's own must come back: what was changed before the probe was sent has then been heard. (Redis
documentation, "Client-side caching".)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from os import urandom
from typing import Any, NamedTuple, Protocol

from cachery.backends.redis.driver.hearing import slot_owner
from cachery.backends.redis.link import Command
from cachery.backends.redis.names import Names

__all__ = ["Bus", "Message", "Publishing", "Tracking"]

_ID_SIZE = 12
_EVERYTHING = b"*"
_PROBE_LIFE = 10_000  # ms
_LONGEST_NUMBER = 20


class Message(NamedTuple):
    """What was heard: ``names`` that may have changed, ``None`` for any; the number of a ``probe`` that came back."""

    names: Sequence[bytes] | None = ()
    probe: int | None = None


class Bus(Protocol):
    """What differs between the two."""

    def greeting(self) -> list[Command]:
        """Return the commands with which hearing begins."""

    def probe(self, number: int, slots: Collection[int] | None) -> list[Command]:
        """Return the commands that send the probe ``number``, to a server that owns ``slots``."""

    def heard(self, push: Sequence[Any]) -> Message:
        """Return what a server has said."""

    def announcement(self, names: Iterable[bytes] | None) -> list[Command]:
        """Return the commands with which one tells that ``names`` have changed, ``None`` for all."""


class Tracking:
    """The server tells of itself."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._probes = b"~%b%b:" % (names.base, urandom(_ID_SIZE // 2).hex().encode())
        self._salts: dict[frozenset[int], int] = {}

    def greeting(self) -> list[Command]:
        """Return the commands with which hearing begins."""
        prefixes = (self._names.base, self._names.group, self._probes)
        return [("CLIENT", "TRACKING", "ON", "BCAST", *[word for prefix in prefixes for word in ("PREFIX", prefix)])]

    def probe(self, number: int, slots: Collection[int] | None) -> list[Command]:
        """Return the commands that send the probe ``number``: it is written, on the server that is to tell of it."""
        salt = 0 if slots is None else self._salt(frozenset(slots))
        return [("SET", b"%b{%d}:%d" % (self._probes, salt, number), b"", "PX", _PROBE_LIFE)]

    def _salt(self, slots: frozenset[int]) -> int:
        """Return a number by which names lie in one of ``slots``."""
        if slots not in self._salts:
            salts = range(2**24)
            self._salts[slots] = next(salt for salt in salts if slot_owner(b"%b{%d}" % (self._probes, salt)) in slots)
        return self._salts[slots]

    def heard(self, push: Sequence[Any]) -> Message:
        """Return what a server has said; probes are heard alone, or among the names of a transaction."""
        if push[0] != b"invalidate":
            return Message()
        if push[1] is None or self._names.cleared in push[1]:
            return Message(None)
        probes = [name for name in push[1] if name.startswith(self._probes)]
        names = [name for name in push[1] if not name.startswith(self._probes)]
        return Message(names, _number_in(probes[-1:][0].rpartition(b":")[2]) if probes else None)

    def announcement(self, names: Iterable[bytes] | None) -> list[Command]:
        """Return nothing: the server tells."""
        del names
        return []


class Publishing:
    """Who changes something tells."""

    def __init__(self, names: Names) -> None:
        self._identity = urandom(_ID_SIZE)
        self._channel = names.base + b"changes"
        self._own_channel = b"%bprobe:%b" % (names.base, self._identity.hex().encode())

    def greeting(self) -> list[Command]:
        """Return the commands with which hearing begins."""
        return [("SUBSCRIBE", self._channel), ("SUBSCRIBE", self._own_channel)]

    def probe(self, number: int, slots: Collection[int] | None) -> list[Command]:
        """Return the commands that send the probe ``number`` to oneself."""
        del slots
        return [("PUBLISH", self._own_channel, number)]

    def heard(self, push: Sequence[Any]) -> Message:
        """Return what was published; nothing for one's own echo, which is known by its sender."""
        if push[0] != b"message":
            return Message()
        if push[1] == self._own_channel:
            return Message(probe=_number_in(push[2]))
        sender, content = push[2][:_ID_SIZE], push[2][_ID_SIZE:]
        if sender == self._identity:
            return Message()
        return Message(None if content == _EVERYTHING else _names_in(content))

    def announcement(self, names: Iterable[bytes] | None) -> list[Command]:
        """Return the command that publishes ``names``, each with its length before it."""
        content = _EVERYTHING if names is None else b"".join(map(_sized, names))
        return [("PUBLISH", self._channel, self._identity + content)]


def _number_in(text: bytes) -> int | None:
    """Return the number of a probe; ``None`` for what somebody else has written in its place."""
    return int(text) if text.isdigit() and len(text) < _LONGEST_NUMBER else None


def _sized(name: bytes) -> bytes:
    return len(name).to_bytes(4, "big") + name


def _names_in(content: bytes) -> list[bytes] | None:
    """Return the names that stand in ``content``; ``None``, for all, where it is nothing that we would publish."""
    names: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            return None
        names.append(content[at + 4 : end])
        at = end
    return names
