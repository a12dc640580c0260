"""What is known about an entry, as text: the content of a ``.meta`` file, which people and programs may read.

One line of JSON for the entry. It begins with its signature, which covers the rest of the line as it stands and, by a
digest, the body; so what was changed in any way is found out before anything in it is looked at. How it is signed
stands here and in ``keyring``, never in the file.

When a value replaces another, the line of that one follows as ``previous``, in a line of its own, until the next
change: a body that is not the new one's is still the old one's. ::

    {"mac": "5f0c...", "key_id": "77aa...", "format": 1, "file": 7341, "key": "user:42", ...,
    "previous": {"mac": "d1b2...", "key_id": "77aa...", "format": 1, "file": 7288, ...}}

``file`` is what the file system calls the body, its inode: whether the body is the new one is seen without reading it.
"""

from __future__ import annotations

import json
import math
import re
from binascii import unhexlify
from hashlib import blake2b
from typing import Any, NamedTuple

from cachery.model.entry import Entry
from cachery.serializers.envelope import Body, Unreadable
from cachery.serializers.keyring import Keyring
from cachery.serializers.pipeline import INTEGER, Codec, TooLarge

__all__ = [
    "FORMAT",
    "LARGEST",
    "Meta",
    "Metas",
    "body_digest",
    "claims_of",
    "file_of",
    "joined",
    "lines_of",
    "written_at",
]

FORMAT = 1
LARGEST = 2**20
"""The most bytes of a meta file that is read."""

_LARGEST_LINE = 2**19 - 64
_HEAD = re.compile(rb'\{"mac": "([0-9a-f]{64})", "key_id": "([0-9a-f]{16})", "format": (\d{1,9}), "file": (\d{1,20}), ')
_KIND = b"cachery file\n"
_SIGNED_FROM = len(b'{"mac": "') + 64 + len(b'", ')
_PREVIOUS = b',\n"previous": '
_INTEGER_NAME = "integer"
_INF = math.inf

_INFINITE = (_INF, -_INF)
_LINE = (
    '"key_id": "%s", "format": %d, "file": %d, "key": %s, "timestamp": %s, "ttl": %s, "serializer": %s, '
    '"compression": %s, "flags": %d, "size": %d, "digest": "%s", "fresh_until": %s, "refresh_at": %s, '
    '"stale_until": %s, "tags": %s, "cost": %s, "born": %d}'
)
"""Written out, for it is made at every write: a JSON encoder takes twice the time."""

_encode = json.JSONEncoder(allow_nan=False, check_circular=False).encode
_encode_text = json.encoder.encode_basestring_ascii
_decode = json.JSONDecoder().decode


class Meta(NamedTuple):
    """What is known about an entry. ``entry`` has its stamps and no value; ``code`` and so on are those of ``Body``.

    ``born``: the number of the store's last invalidation when the value was made. ``line`` is its text.
    """

    key: str
    entry: Entry
    code: int
    compression: int
    flags: int
    size: int
    digest: str
    file: int
    born: int
    line: bytes

    def body(self, data: bytes) -> Body:
        """Return ``data`` as the codec takes it."""
        return Body(data, self.code, self.compression, self.flags)

    @property
    def dead_at(self) -> float:
        """When it is over for good."""
        return max(self.entry.fresh_until, self.entry.stale_until)


class Metas:
    """Writes and reads the lines of a cache whose values ``codec`` writes, signed by ``keyring``."""

    def __init__(self, codec: Codec, keyring: Keyring) -> None:
        self._keyring = keyring
        self._code = codec.code
        self._serializer = codec.recipe.serializer.name
        compression = codec.recipe.compression
        self._compressions = {None: 0} if compression is None else {None: 0, compression.method: compression.code}
        self._compression_texts = {code: _encode(name) for name, code in self._compressions.items()}
        self._serializer_text, self._integer = _encode(self._serializer), _encode(_INTEGER_NAME)
        self._key_id = keyring.key_id.hex()

    def line(  # noqa: PLR0913 - what an entry is, all by name
        self, *, key: str, entry: Entry, body: Body, size: int, digest: str, file: int, born: int, now: float
    ) -> bytes:
        """Return the line of an entry, written at ``now``. Raises ``TooLarge`` when key and tags have no room in it."""
        stamps = (entry.fresh_until, entry.refresh_at, entry.stale_until)
        signed = _LINE % (
            self._key_id,
            FORMAT,
            file,
            _encode_text(key),
            _number(now),
            _number(round(entry.fresh_until - now, 3) if entry.fresh_until < _INF else _INF),
            self._integer if body.serializer == INTEGER else self._serializer_text,
            self._compression_texts[body.compression],
            body.flags,
            size,
            digest,
            *map(_number, stamps),
            _encode(entry.tags) if entry.tags else "[]",
            "null" if entry.cost is None else _encode(entry.cost),
            born,
        )
        if len(signed) > _LARGEST_LINE:
            raise TooLarge
        text = signed.encode("ascii")
        return b'{"mac": "%b", %b' % (self._keyring.sign(_KIND + text).hex().encode(), text)

    def opened(self, line: bytes) -> Meta:
        """Return what ``line`` says. Raises ``Unreadable``."""
        head = _HEAD.match(line)
        if head is None:
            raise Unreadable("damaged")
        mac, key_id, version, file = head.groups()
        self._keyring.check_apart(_KIND + line[_SIGNED_FROM:], unhexlify(mac), unhexlify(key_id))
        if int(version) != FORMAT:
            raise Unreadable("format")
        try:
            return self._meta(_decode(str(line, "ascii")), int(file), line)
        except (ValueError, TypeError, KeyError, RecursionError) as error:  # signed, and yet not ours
            raise Unreadable("format") from error

    def _meta(self, said: dict[str, Any], file: int, line: bytes) -> Meta:
        name, compression = said["serializer"], said["compression"]
        if name not in {self._serializer, _INTEGER_NAME}:
            raise Unreadable("serializer")
        if compression not in self._compressions:
            raise Unreadable("compression")
        fresh, refresh, stale = said["fresh_until"], said["refresh_at"], said["stale_until"]
        entry = Entry(
            None,
            _INF if fresh is None else fresh,
            _INF if refresh is None else refresh,
            -_INF if stale is None else stale,
            tuple(said["tags"]),
            said["cost"],
        )
        code = INTEGER if name == _INTEGER_NAME else self._code
        method = self._compressions[compression]
        size, digest, born = said["size"], said["digest"], said["born"]
        return Meta(said["key"], entry, code, method, said["flags"], size, digest, file, born, line)


def written_at(meta: Meta) -> float:
    """Return when the line of ``meta`` was written, by the clock of the store."""
    return float(_decode(str(meta.line, "ascii"))["timestamp"])


def _number(value: float) -> str:
    """Return ``value`` as JSON, where nothing is infinite."""
    return "null" if value in _INFINITE else repr(float(value))


def lines_of(text: bytes) -> tuple[bytes, bytes | None]:
    """Return the line of an entry that ``text``, a meta file, holds, and that of the one it replaced, if any.

    >>> lines_of(joined(b'{"mac": 1}', b'{"mac": 2}'))
    (b'{"mac": 1}', b'{"mac": 2}')
    """
    line, mark, rest = text.partition(_PREVIOUS)
    return (line + b"}", rest[:-1]) if mark and rest.endswith(b"}") else (text, None)


def joined(line: bytes, previous: bytes | None) -> bytes:
    """Return the content of a meta file: ``line``, and that of the entry that is being replaced."""
    return line if previous is None else b"%b%b%b}" % (line[:-1], _PREVIOUS, previous)


def file_of(line: bytes) -> int | None:
    """Return what the body of ``line`` is called by the file system, unchecked; ``None`` when it is no line."""
    head = _HEAD.match(line)
    return None if head is None or b"\n" in line else int(head[4])


def claims_of(text: bytes) -> list[dict[str, Any]]:
    """Return what a meta file says, unchecked, for those who only want a name for it: its entry's and the previous."""
    claims = []
    for line in lines_of(text):
        try:
            said = None if line is None else _decode(str(line, "ascii"))
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict):
            claims.append(said)
    return claims


def body_digest(data: bytes) -> str:
    """Return the digest of a body."""
    return blake2b(data, digest_size=32).hexdigest()
