"""Under which names things stand on the server: what an operator sees there, and how it is read.

::

    cachery:8:products:user:42                an entry: prefix, length of the cache's name, name, key
    cachery:8:products:#5f2a...               an entry whose key is long or cannot stand in a name: its digest
    {cachery:8:products:user:42}:fence        the loads of that key that are under way
    {cachery:8:products:user:42}:lease        who may load it
    {cachery:8:products}:state                numbers of the cache's invalidations
    {cachery:8:products}:cleared              the number of the last clearing, for those who keep copies
    {cachery:8:products}:tag:red              the number of the last invalidation of a tag
    ~cachery:8:products:5f2a...               written to see whether the server's messages come through; soon over

The length makes names of caches unmistakable: ``a`` with the key ``b:c`` is not ``a:b`` with the key ``c``. Braces are
a cluster's hash tags: an entry lies in one slot with its fence and its lease, the numbers of a cache in another. So no
name may hold braces; a key or a name of a cache that does is written as its digest.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from cachery.exceptions import CacheValueError
from cachery.model.keys import Key
from cachery.serializers.pipeline import key_bytes

__all__ = ["Names", "checked_prefix", "fence_of", "lease_of"]

_LONGEST = 200
_DIGEST = b"#"
_IS_SPECIAL = re.compile(rb"([\\*?\[\]])")


class Names:
    """The names of a cache. ``base`` stands before those of its entries, ``group`` before those of its numbers."""

    def __init__(self, prefix: Key, name: str) -> None:
        text = _shortened(key_bytes(name))
        whole = b"%b:%d:%b" % (checked_prefix(prefix).encode(), len(text), text)
        self.base = whole + b":"
        self.group = b"{%b}:" % whole
        self.state = self.group + b"state"
        self.cleared = self.group + b"cleared"
        self.tags = self.group + b"tag:"
        self.all_entries = _literal(self.base) + b"*"

    def entry(self, key: bytes) -> bytes:
        """Return the name of the entry under ``key``."""
        return self.base + _shortened(key)

    def tag(self, tag: str) -> bytes:
        """Return the name of the number of ``tag``."""
        return self.tags + key_bytes(tag)

    def key_of(self, entry: bytes) -> str | None:
        """Return the key of the entry that stands under a name; ``None`` when the name holds its digest only."""
        key = entry[len(self.base) :]
        return None if key.startswith(_DIGEST) else key.decode("utf-8", "surrogatepass")


def fence_of(entry: bytes) -> bytes:
    """Return the name of the loads under way of an entry, by the name of the entry."""
    return b"{%b}:fence" % entry


def lease_of(entry: bytes) -> bytes:
    """Return the name of the lease of an entry, by the name of the entry."""
    return b"{%b}:lease" % entry


def checked_prefix(prefix: Key) -> str:
    """Return ``prefix`` if it may stand before the names of all caches; raise ``CacheValueError`` otherwise.

    It is text without braces that begins with no ``~``, and no part of it between colons is a number: that is the
    length which follows it.

    >>> checked_prefix("shop:eu")
    'shop:eu'
    """
    if not isinstance(prefix, str):
        raise CacheValueError(f"prefix is a str, not {type(prefix).__name__}")
    if not prefix or not prefix.isprintable() or "{" in prefix or "}" in prefix:
        raise CacheValueError(f"prefix is printable text without braces, not {prefix!r}")
    if prefix.startswith("~"):
        raise CacheValueError(f"a prefix does not begin with ~, as {prefix!r} does")
    if any(part.isdecimal() for part in prefix.split(":")):
        raise CacheValueError(f"no part of a prefix between colons is a number: {prefix!r} has one")
    return prefix


def _shortened(text: bytes) -> bytes:
    """Return ``text``, or where it cannot stand in a name, its digest."""
    if len(text) <= _LONGEST and b"{" not in text and b"}" not in text and not text.startswith(_DIGEST):
        return text
    return _DIGEST + blake2b(text, digest_size=16).hexdigest().encode()


def _literal(text: bytes) -> bytes:
    """Return the server's glob that matches ``text`` and nothing else."""
    return _IS_SPECIAL.sub(rb"\\\1", text)
