"""Which server of a cluster owns which slot, and which slot a command belongs to. No server is asked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from cachery.backends.redis.link import Command

__all__ = ["Place", "Redirection", "Topology", "read_slots", "redirection_of", "slot_of"]

Place: TypeAlias = tuple[str, int]
"""Host and port."""

_SCRIPTS = ("EVALSHA", "EVAL", "EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO")
_SECOND = ("OBJECT", "MEMORY", "XINFO", "XGROUP")
_KEYLESS = (
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "ECHO", "FLUSHALL", "FLUSHDB", "FUNCTION", "INFO",
    "KEYS", "LATENCY", "PING", "PUBLISH", "RANDOMKEY", "ROLE", "SCAN", "SCRIPT", "SLOWLOG", "TIME", "WAIT",
)  # fmt: skip
_KEYS_OF_SCRIPTS = 3
_INDEX: dict[str | bytes, int] = {
    form: index
    for names, index in ((_SCRIPTS, _KEYS_OF_SCRIPTS), (_SECOND, 2), (_KEYLESS, 0))
    for name in names
    for form in (name, name.encode())
}


@dataclass(frozen=True, slots=True)
class Topology:
    """The owner of each slot, if it has one; all ``primaries``; and all ``members``, replicas included."""

    owners: tuple[Place | None, ...]
    primaries: tuple[Place, ...]
    members: frozenset[Place]

    def with_owner(self, slot: int, place: Place) -> Topology:
        """Return the same, but for ``slot``, which belongs to ``place``."""
        owners = (*self.owners[:slot], place, *self.owners[slot + 1 :])
        primaries = self.primaries if place in self.primaries else (*self.primaries, place)
        return replace(self, owners=owners, primaries=primaries, members=self.members | {place})


class Redirection(NamedTuple):
    """Where a server sends who asks it: for good (``MOVED``), or this once (``ASK``, ``is_once``)."""

    slot: int
    place: Place
    is_once: bool


def read_slots(reply: Any, asked: Place, remap: Callable[[Place], Place] | None = None) -> Topology:
    """Return what ``CLUSTER SLOTS`` replied. A server without a name is the one that was ``asked``."""
    owners: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
    members: set[Place] = set()
    primaries: dict[Place, None] = {}
    for first, last, *servers in reply:
        places = [_place_of(server[0], server[1], asked, remap) for server in servers]
        members.update(places)
        primaries[places[0]] = None
        owners[first : last + 1] = [places[0]] * (last + 1 - first)
    return Topology(tuple(owners), tuple(primaries), frozenset(members))


def _place_of(host: bytes | None, port: int, asked: Place, remap: Callable[[Place], Place] | None) -> Place:
    place = (host.decode() if host else asked[0], int(port))
    return place if remap is None else remap(place)


def redirection_of(text: str, asked: Place, remap: Callable[[Place], Place] | None = None) -> Redirection:
    """Read ``"MOVED 3999 127.0.0.1:6381"``, or the same with ``ASK``."""
    code, slot, target = text.split(" ")[:3]
    host, _, port = target.rpartition(":")
    return Redirection(int(slot), _place_of(host.encode(), int(port), asked, remap), is_once=code == "ASK")


def slot_of(command: Command) -> int | None:
    """Return the slot of the first key of ``command``, ``None`` when it has no key.

    >>> slot_of(("GET", "{user}:1")) == slot_of(("EVALSHA", "sha", 1, b"{user}:2")), slot_of(("PING",))
    (True, None)
    """
    index = _INDEX.get(command[0], 1)  # type: ignore[arg-type]  # names are text or bytes
    if index == 0 or len(command) <= index or (index == _KEYS_OF_SCRIPTS and int(command[2]) == 0):
        return None
    key = command[index]
    return int(key_slot(key if isinstance(key, bytes) else str(key).encode()))
