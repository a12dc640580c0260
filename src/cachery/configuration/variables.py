"""``${NAME}`` and ``${NAME:default}`` in settings: what the environment says, so that no secret stands in a file."""

from __future__ import annotations

import os
import re

from cachery.exceptions import CacheValueError

__all__ = ["Unset", "expanded", "has_variables"]

_MARK = re.compile(r"\$\$|\$\{([^}:]*)(?::-?([^}]*))?\}?")
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Unset(Exception):  # noqa: N818 - caught where a setting is read, and told as a CacheValueError
    """A variable without a default that is not set: which matters only to the cache whose setting names it."""


def has_variables(text: str) -> bool:
    """Tell whether ``text`` is more than it says."""
    return "$" in text


def expanded(text: str) -> str:
    """Return ``text`` with the variables of the environment in it; ``$$`` is a dollar sign.

    An empty variable counts as not set. Raises ``Unset`` for one that is not set and has no default, and
    ``CacheValueError`` for what is no name of a variable, and for text that begins with a name but without braces.

    >>> expanded("${NOT_SET:redis://localhost}/${NOT_SET:-1}, $$5")
    'redis://localhost/1, $5'
    """
    bare = _BARE.match(text)
    if bare is not None:
        name = bare[1] if bare[1].isupper() and bare[0] == text else "NAME"  # it could be a password
        raise CacheValueError(f"write ${{{name}}} for what a variable says, and $$ for a dollar sign")
    return _MARK.sub(_value_of, text)


def _value_of(mark: re.Match[str]) -> str:
    if mark[0] == "$$":
        return "$"
    name, default = mark[1], mark[2]
    if not mark[0].endswith("}") or not _NAME.fullmatch(name):
        raise CacheValueError(f"{mark[0]} names no variable: write ${{NAME}} or ${{NAME:default}}, and $$ for a dollar")
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise Unset(f"the variable {name} is not set, and ${{{name}}} has no default")
    return value
