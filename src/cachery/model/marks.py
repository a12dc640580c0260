"""How sources stand among the tags of an entry.

An entry carries its sources as tags, so every store keeps them already, numbers them, and fences loads by them:

* a name is a tag like any other, and is invalidated as one;
* a file has a tag with its path, by which it is invalidated;
* a *mark* says what a source looked like when the value began to be computed: its kind, what was seen, its name. Who
  reads the entry looks again: where it looks different now, the entry is dead.

The last two begin with a unit separator (U+001F), which also stands between their parts, and belong to no namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "MARK",
    "Mark",
    "file_tag",
    "has_marks",
    "is_local",
    "is_reserved",
    "is_source",
    "marks_in",
    "path_in",
    "prefixed",
    "shown",
    "without_marks",
]

_SEPARATOR = "\x1f"
MARK = "\x1f?"
"""How every mark begins."""

_FILE = "\x1ffile\x1f"


class Mark(NamedTuple):
    """What the source called ``name``, of a ``kind``, was ``seen`` as. Only a name may hold any letter."""

    kind: str
    seen: str
    name: str

    @property
    def tag(self) -> str:
        """The tag that says so."""
        return f"{MARK}{self.kind}{_SEPARATOR}{self.seen}{_SEPARATOR}{self.name}"

    @classmethod
    def read(cls, tag: str) -> Mark | None:
        """Return the mark in ``tag``; ``None`` when it is another tag."""
        if not tag.startswith(MARK):
            return None
        parts = tag[len(MARK) :].split(_SEPARATOR, 2)
        return cls(*parts) if len(parts) == len(cls._fields) else None


def marks_in(tags: Iterable[str]) -> tuple[Mark, ...]:
    """Return the marks among ``tags``."""
    return tuple(mark for tag in tags if (mark := Mark.read(tag)) is not None)


def has_marks(tags: Iterable[str]) -> bool:
    """Tell whether there is a mark among ``tags``."""
    return any(tag.startswith(MARK) for tag in tags)


def is_local(tags: Iterable[str]) -> bool:
    """Tell whether ``tags`` say what was seen where they were made only: of a file, or of an entry of that store."""
    return any(mark.kind != "version" for mark in marks_in(tags))


def without_marks(tags: Iterable[str]) -> tuple[str, ...]:
    """Return ``tags`` but for the marks."""
    return tuple(tag for tag in tags if not tag.startswith(MARK))


def file_tag(path: str) -> str:
    """Return the tag of everything that depends on the file at ``path``."""
    return _FILE + path


def path_in(tag: str) -> str:
    """Return the path in ``tag``, that of a file."""
    return tag.removeprefix(_FILE)


def is_source(tag: str) -> bool:
    """Tell whether ``tag`` speaks of a file or of what was seen, and so belongs to no namespace."""
    return tag.startswith(_SEPARATOR)


def is_reserved(tag: str) -> bool:
    """Tell whether ``tag`` is for the library alone to give: what was seen is for nobody to say who has not looked."""
    return tag.startswith(_SEPARATOR) and not tag.startswith(_FILE)


def prefixed(prefix: str, tags: Iterable[str]) -> tuple[str, ...]:
    """Return ``tags`` as they are known outside of the namespace whose names begin with ``prefix``."""
    return tuple(tag if is_source(tag) else prefix + tag for tag in tags)


def shown(tag: str) -> str:
    """Return ``tag`` for a person.

    >>> shown(file_tag("/etc/hosts")), shown(Mark("key", "7", "user:42").tag), shown("users")
    ('file /etc/hosts', 'key user:42 (7)', 'users')
    """
    mark = Mark.read(tag)
    if mark is not None:
        return f"{mark.kind} {mark.name} ({mark.seen})"
    return "file " + path_in(tag) if tag.startswith(_FILE) else tag
