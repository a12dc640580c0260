"""Keys and tags are text: any Unicode, any length, empty too. A tag may not begin with a unit separator (U+001F)."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.model.marks import is_reserved

__all__ = ["check_whole", "checked_cost", "exact_key", "exact_keys", "exact_tags"]


def exact_key(key: object) -> str:
    """Return ``key`` as a plain ``str``; a subclass loses its class, and with it any ``__eq__`` or ``__hash__``.

    Raises ``CacheKeyError`` for anything that is not a ``str``.

    >>> exact_key("user:42")
    'user:42'
    """
    if isinstance(key, str):
        return str.__str__(key)
    message = f"a cache key is a str, not {type(key).__name__}: write for instance str(key) or f'user:{{key}}'"
    raise CacheKeyError(message, key=repr(key), reason=f"{type(key).__name__} is not str")


def exact_keys(keys: Iterable[str]) -> list[str]:
    """Return ``keys`` as plain ``str``, each once, in their order.

    Raises ``CacheValueError`` for one bare ``str``, which would be taken letter by letter, or for no collection at all,
    and ``CacheKeyError`` for a key that is not text.

    >>> exact_keys(["a", "b", "a"])
    ['a', 'b']
    """
    given = _members(keys, "keys is a collection of keys")
    return list(dict.fromkeys([key if type(key) is str else exact_key(key) for key in given]))


def exact_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return ``tags`` as a tuple of plain ``str``, each once, in their order.

    Raises ``CacheValueError`` for a bare ``str``, which would become one tag a letter, for a tag that is not text, and
    for one that begins as those of sources do and is not that of a file.

    >>> exact_tags(["user", "user", "mail"])
    ('user', 'mail')
    """
    given = _members(tags, "tags is a sequence of str", "tags=")
    for tag in given:
        if not isinstance(tag, str):
            raise CacheValueError(f"a tag is a str, not {type(tag).__name__}", tag=repr(tag))
        if is_reserved(str.__str__(tag)):
            raise CacheValueError(f"the tag {tag!r} begins with U+001F: such are for what an entry depends on", tag=tag)
    return tuple(dict.fromkeys(str.__str__(tag) for tag in given))


def checked_cost(cost: object) -> float | None:
    """Return ``cost`` when it is ``None`` or a finite number of 0 or more; else raise ``CacheValueError``.

    >>> checked_cost(2.5)
    2.5
    """
    if cost is None:
        return None
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost <= sys.float_info.max:
        raise CacheValueError(f"cost is seconds or money, a finite number of 0 or more, not {cost!r}", cost=repr(cost))
    return cost


def check_whole(**numbers: object) -> None:
    """Raise ``CacheValueError``, naming the argument, unless each is an ``int`` and no ``bool``.

    >>> check_whole(by=1, initial=0)
    """
    for name, number in numbers.items():
        if type(number) is not int:
            raise CacheValueError(f"{name} must be an int, not {type(number).__name__}")


def _members(collection: Iterable[str], claim: str, argument: str = "") -> list[str]:
    """Return what is in ``collection``; raise ``CacheValueError``, saying ``claim``, if that is a ``str`` or none."""
    if isinstance(collection, str):
        raise CacheValueError(f"{claim}, not one str: write {argument}[{collection!r}]")
    try:
        return list(collection)
    except TypeError:
        raise CacheValueError(f"{claim}, not {type(collection).__name__}") from None
