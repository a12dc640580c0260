"""What the files in the directory are called.

::

    <hash>.cache      the body of an entry
    <hash>.meta       what is known about it, JSON
    <hash>.fence      there while its key is being loaded
    <hash>.tag        the number of a tag's last invalidation
    .sequence         the number of the last invalidation of all
    .locks            whose bytes are locked; it stays empty
    <hash>.<host>.<process>.<number>.tmp      being written

Everything else in the directory is somebody else's, and left alone.
"""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from pathlib import Path
from random import randrange

__all__ = [
    "BODY",
    "FENCE",
    "LOCKS",
    "META",
    "SEQUENCE",
    "TAG",
    "Drafts",
    "hash_of",
    "parts_of",
    "tag_hash",
    "writer_of",
]

BODY, META, FENCE, TAG = ".cache", ".meta", ".fence", ".tag"
SEQUENCE, LOCKS = ".sequence", ".locks"

_OWN = re.compile(r"([0-9a-f]{32})(\.cache|\.meta|\.fence|\.tag)", re.ASCII)
_DRAFT = re.compile(r"[0-9a-z]+\.([0-9A-Za-z_-]+)\.([0-9]+)\.[0-9a-f]+\.tmp", re.ASCII)
_MANY = 2**48


def hash_of(name: bytes) -> str:
    """Return the hash that the files of a key begin with, the key given as bytes.

    >>> hash_of(b"user:42")
    'fdd48118d77004ffecb66c1b1e69dc3c'
    """
    return blake2b(name, digest_size=16).hexdigest()


def tag_hash(tag: str) -> str:
    """Return the hash that the file of ``tag`` begins with."""
    return blake2b(tag.encode("utf-8", "surrogatepass"), digest_size=16, person=b"cachery tag").hexdigest()


def parts_of(name: str) -> tuple[str, str] | None:
    """Return the hash and the kind of the file ``name``; ``None`` when it is none of these.

    >>> parts_of("fdd48118d77004ffecb66c1b1e69dc3c.meta"), parts_of("notes.meta")
    (('fdd48118d77004ffecb66c1b1e69dc3c', '.meta'), None)
    """
    match = _OWN.fullmatch(name)
    return None if match is None else (match[1], match[2])


def writer_of(name: str) -> tuple[str, int] | None:
    """Return the host and the process that write the draft ``name``; ``None`` when it is no draft.

    >>> writer_of("fdd4.tower-1f2e.42.7.tmp"), writer_of("report.tmp")
    (('tower-1f2e', 42), None)
    """
    match = _DRAFT.fullmatch(name)
    return None if match is None else (match[1], int(match[2]))


def _this_host() -> str:
    """Return what this machine is called, until it is started again; containers that share its name differ."""
    marks = b""
    with suppress(OSError):  # there is no such place on other systems
        marks += Path("/proc/sys/kernel/random/boot_id").read_bytes()
        marks += bytes(Path("/proc/self/ns/pid").readlink())
    name = re.sub(r"[^0-9A-Za-z_-]", "_", platform.node())[:32] or "host"
    return f"{name}-{blake2b(marks, digest_size=4).hexdigest()}"


class Drafts:
    """Gives names to files that are being written, no two alike.

    >>> drafts = Drafts()
    >>> drafts.is_abandoned(drafts.name("fdd4"))
    False
    """

    host = _this_host()

    def __init__(self) -> None:
        self._process = 0
        self._stem = ""
        self._numbers = count()

    def name(self, stem: str) -> str:
        """Return a new name that begins with ``stem``."""
        process = os.getpid()
        if process != self._process:
            self._numbers = count(randrange(_MANY))  # noqa: S311 - a name, no secret
            self._stem = f"{self.host}.{process}"
            self._process = process
        return f"{stem}.{self._stem}.{next(self._numbers):x}.tmp"

    def is_abandoned(self, name: str) -> bool:
        """Tell whether the draft ``name`` was written by a process of this machine that is gone."""
        writer = writer_of(name)
        return writer is not None and writer[0] == self.host and not _is_running(writer[1])


def _is_running(process: int) -> bool:
    if os.name != "posix":  # there, asking for a process by a signal ends it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it runs, and is not ours
        return True
    return True
