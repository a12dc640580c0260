"""What an entry may depend on: names, files, versions, other keys."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, get_args

from cachery.exceptions import CacheInvalidationError, CacheValueError
from cachery.keys.text import exact_key, exact_tags
from cachery.model.marks import Mark, file_tag
from cachery.sources.files import Check, look_at

__all__ = [
    "File",
    "Key",
    "Name",
    "Source",
    "Version",
    "current_version",
    "exact_sources",
    "filled",
    "names_of_keys",
    "text_of",
]

_declared: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Name:
    """Anything that has a name: a table, a schema, a remote service. It is a tag, and is invalidated as one."""

    name: str

    def tags(self) -> tuple[str, ...]:
        """Return the tags by which it is invalidated."""
        return (self.name,)

    def seen(self) -> tuple[str, ...]:
        """Return the marks that say what it looks like now: none, a name has no looks."""
        return ()

    def within(self, prefix: str) -> Name:
        """Return the same name as it is known outside of the namespace whose names begin with ``prefix``."""
        return Name(prefix + self.name)


@dataclass(frozen=True, slots=True, init=False)
class File:
    """The file, or directory, at ``path``.

    ``check``: how a reader of the entry sees whether it has changed. ``"stat"``: by its time of change, size and
    inode, which costs 2 µs; ``"hash"``: where those differ, by its content too, so that a file that was only touched
    or checked out again is the same; ``"never"``: not at all, somebody invalidates it (``watch``). Of a directory it
    is seen which names it holds, not what the files in it hold.

    ``given``: the path as it was written, which ``cached`` fills with the arguments of a call. Raises
    ``CacheValueError`` for what is no path and for another ``check``.

    >>> File("/etc/hosts").path
    '/etc/hosts'
    """

    path: str
    check: Check
    given: str = field(repr=False, compare=False)

    def __init__(self, path: str | os.PathLike[str], check: Check = "stat") -> None:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
        if not isinstance(text, str) or not text or "\0" in text:
            raise CacheValueError(f"the path of a file is a str or a Path that is not empty, not {path!r}")
        text = str.__str__(text)
        if check not in get_args(Check):
            raise CacheValueError(f"check is 'stat', 'hash' or 'never', not {check!r}")
        object.__setattr__(self, "path", _absolute(text))
        object.__setattr__(self, "check", check)
        object.__setattr__(self, "given", text)

    @property
    def tag(self) -> str:
        """What ``invalidate_tags`` takes to invalidate everything that depends on it."""
        return file_tag(self.path)

    def tags(self) -> tuple[str, ...]:
        """Return the tags by which it is invalidated."""
        return (self.tag,)

    def seen(self) -> tuple[str, ...]:
        """Return the marks that say what it looks like now."""
        return () if self.check == "never" else (Mark("file", look_at(self.path, self.check), self.path).tag,)

    def within(self, prefix: str) -> File:
        """Return itself: a file belongs to no namespace."""
        del prefix
        return self


@dataclass(frozen=True, slots=True, init=False)
class Version:
    """The ``version`` of something that the program itself knows: of a prompt, a model, an algorithm.

    From the moment it is made, entries that depend on another version of ``name`` are misses in this process, also
    those that were stored by an earlier run. A version is text or a whole number: 3 is ``"3"``. The name is no
    template.

    >>> Version("prompt", 3).version
    '3'
    """

    name: str
    version: str

    def __init__(self, name: str, version: str | int) -> None:
        if not isinstance(name, str) or not name:
            raise CacheValueError(f"the name of a version is a str that is not empty, not {name!r}")
        if "{" in name:
            raise CacheValueError(f"the name of a version is no template, as {name!r} looks: make it of the arguments")
        if isinstance(version, bool) or not isinstance(version, str | int) or "\x1f" in str(version):
            raise CacheValueError(f"the version of {name!r} is a str or an int, not {version!r}")
        object.__setattr__(self, "name", str.__str__(name))
        object.__setattr__(self, "version", str(version))
        _declared[self.name] = self.version

    def tags(self) -> tuple[str, ...]:
        """Return the tags by which it is invalidated: none, another version is declared instead."""
        return ()

    def seen(self) -> tuple[str, ...]:
        """Return the mark that says which version it is."""
        return (Mark("version", self.version, self.name).tag,)

    def within(self, prefix: str) -> Version:
        """Return itself: a version belongs to no namespace."""
        del prefix
        return self


@dataclass(frozen=True, slots=True)
class Key:
    """The entry under ``name`` in the same cache.

    Who depends on it is there only as long as it stands as it was: when it is written again, removed, invalidated,
    evicted or over, so is all that depends on it. What it depends on itself, those depend on too.
    """

    name: str

    def tags(self) -> tuple[str, ...]:
        """Return the tags by which it is invalidated: none, the entry itself is looked at."""
        return ()

    def within(self, prefix: str) -> Key:
        """Return the same key as it is known outside of the namespace whose keys begin with ``prefix``."""
        return Key(prefix + self.name)


Source: TypeAlias = Name | File | Version | Key


def current_version(name: str) -> str | None:
    """Return the version of ``name`` that was declared last in this process; ``None`` when none was."""
    return _declared.get(name)


def exact_sources(depends_on: Iterable[Any]) -> tuple[Source, ...]:
    """Return ``depends_on`` as sources, each once: a ``str`` is a name, a path is a file.

    Raises ``CacheValueError`` for one bare ``str`` or source, and for what is no source.

    >>> exact_sources(["schema", Key("user:42")])
    (Name(name='schema'), Key(name='user:42'))
    """
    if depends_on is None:
        raise CacheValueError("depends_on is a collection of sources, not None: write []")
    if isinstance(depends_on, str | os.PathLike | Source):
        raise CacheValueError(f"depends_on is a collection of sources, not one of them: write [{depends_on!r}]")
    try:
        given = list(depends_on)
    except TypeError:
        raise CacheValueError(f"depends_on is a collection, not {type(depends_on).__name__}") from None
    return tuple(dict.fromkeys(_source(each) for each in given))


def _source(each: Any) -> Source:
    if isinstance(each, Key):
        return Key(exact_key(each.name))
    if isinstance(each, Name):
        return Name(_exact_name(each.name))
    if isinstance(each, File | Version):
        return each
    if isinstance(each, str):
        return Name(_exact_name(each))
    if isinstance(each, os.PathLike):
        return File(each)
    raise CacheValueError(
        f"a source is a name, a Path, File(...), Key(...) or Version(...), not {type(each).__name__}", source=repr(each)
    )


def _exact_name(name: Any) -> str:
    if not isinstance(name, str):
        raise CacheValueError(f"the name of a source is a str, not {type(name).__name__}")
    (tag,) = exact_tags([name])  # which it becomes
    return tag


def _absolute(path: str) -> str:
    """Return ``path`` from the root on. Links in it are followed at each look."""
    try:
        return os.path.abspath(path)  # noqa: PTH100 - a Path takes twice the time
    except FileNotFoundError as error:
        raise CacheInvalidationError(
            f"{path} cannot be depended on: the working directory is gone", path=path
        ) from error


def names_of_keys(sources: Iterable[Source]) -> list[str]:
    """Return the names of those of ``sources`` that are keys."""
    return [source.name for source in sources if isinstance(source, Key)]


def filled(source: Source, text: str) -> Source:
    """Return ``source`` with ``text``, its template filled. A version has none."""
    if isinstance(source, File):
        return File(text, source.check)
    return source if isinstance(source, Version) else replace(source, name=text)


def text_of(source: Source) -> str:
    """Return what of ``source`` may be a template."""
    return source.given if isinstance(source, File) else "" if isinstance(source, Version) else source.name
