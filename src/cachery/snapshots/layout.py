"""The form of a snapshot: a head, a part for each entry, and an end that tells how many there were.

::

    head        magic, 8 bytes · version, 1 · key id, 8, whose signatures these are · nonce, 16 · when it was taken,
                float, seconds of the wall clock · the largest serial, 8 · signature, 32
    part        mark, 4 bytes, what it is · length, 8, of what follows but for the signature · that · signature, 32
      entry     hits, 8 · frequency, 8 · segment, 1 · serial, 8 · idle time and last end, floats · record
                (``serializers.envelope``), without a signature of its own; times are spans from when the snapshot was
                taken
      end       how many entries there are, 8

Numbers are little-endian. The most valuable entry comes first: a smaller cache takes what it has room for, and what a
file that was cut short lacks is worth least. A signature is over the name of the cache, the head, the number of the
part, its mark, and what is in it: no part can be taken from another snapshot, left out, doubled or moved unnoticed.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from cachery.backends.in_memory.portable import Carried
from cachery.serializers.envelope import SIGNATURE, Envelope, pack, unpack
from cachery.serializers.keyring import Keyring
from cachery.serializers.pipeline import Codec, key_bytes

__all__ = [
    "COUNT",
    "END",
    "ENTRY",
    "FACTS",
    "HEAD",
    "MAGIC",
    "PART",
    "SIGNATURE",
    "VERSION",
    "Facts",
    "Head",
    "Seal",
    "opened_entry",
    "packed_entry",
]

MAGIC = b"\x89cachery"
VERSION = 1
HEAD = Struct("<8sB8s16sdQ")
PART = Struct("<4sQ")
FACTS = Struct("<QQBQdd")
COUNT = Struct("<Q")
ENTRY, END = b"kept", b"over"


class Head(NamedTuple):
    """What a snapshot begins with."""

    key_id: bytes
    nonce: bytes
    taken_at: float
    serials: int

    @property
    def packed(self) -> bytes:
        """The bytes of it."""
        return HEAD.pack(MAGIC, VERSION, *self)


class Facts(NamedTuple):
    """What is known of an entry besides its record."""

    hits: int
    frequency: int
    segment: int
    serial: int
    idle: float
    ends: float


class Seal:
    """Signs and checks the parts of the snapshot that begins with ``head``."""

    def __init__(self, keyring: Keyring, head: bytes, key_id: bytes) -> None:
        self._keyring = keyring
        self._head = head
        self._key_id = key_id

    def sign(self, number: int, mark: bytes, data: bytes) -> bytes:
        """Return the signature of the part with that ``number``."""
        return self._keyring.sign(self._covered(number, mark, data))

    def check(self, number: int, mark: bytes, data: bytes, signature: bytes) -> None:
        """Raise ``Unreadable`` unless ``signature`` is that of the part with that ``number``."""
        self._keyring.check_apart(self._covered(number, mark, data), signature, self._key_id)

    def _covered(self, number: int, mark: bytes, data: bytes) -> bytes:
        return b"".join((self._head, COUNT.pack(number), mark, data))


def packed_entry(codec: Codec, carried: Carried, now: float) -> bytes:
    """Return what stands for ``carried``, its times as spans from ``now``.

    Raises ``CacheSerializationError`` for what the serializer cannot carry, ``TooLarge`` beyond the limit.
    """
    name, entry = key_bytes(carried.key), carried.entry
    body = codec.body_of(name, entry.value)
    spans = entry._replace(
        fresh_until=entry.fresh_until - now, refresh_at=entry.refresh_at - now, stale_until=entry.stale_until - now
    )
    facts = Facts(carried.hits, carried.frequency, carried.segment, carried.serial, carried.idle, carried.ends - now)
    return FACTS.pack(*facts) + pack(name, body, spans, 0)


def opened_entry(data: bytes) -> tuple[Facts, Envelope]:
    """Return what stands in ``data``, whose signature was checked. Raises ``Unreadable``."""
    return Facts(*FACTS.unpack_from(data)), unpack(data[FACTS.size :], 0)
