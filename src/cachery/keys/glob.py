"""One dialect of patterns on every backend: that of ``fnmatch.fnmatchcase``.

``*`` matches any run of characters, ``?`` one, ``[seq]`` one of a set, ``[!seq]`` one outside it. Letters match in
their case, on every system.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

from cachery.exceptions import CacheValueError

__all__ = ["escape_glob", "glob_matcher"]

_SPECIAL = re.compile(r"[*?[]")


def glob_matcher(pattern: str) -> Callable[[str], object]:
    """Return a function that is truthy for the keys that ``pattern`` matches.

    Raises ``CacheValueError`` for a pattern that is not text.

    >>> matches = glob_matcher("user:*")
    >>> bool(matches("user:1")), bool(matches("mail:1"))
    (True, False)
    """
    if not isinstance(pattern, str):
        raise CacheValueError(f"a pattern is a str, not {type(pattern).__name__}", pattern=repr(pattern))
    return _compiled(str.__str__(pattern))


def escape_glob(text: str) -> str:
    """Return a pattern that matches ``text`` and nothing else.

    >>> escape_glob("50*?")
    '50[*][?]'
    """
    return _SPECIAL.sub(r"[\g<0>]", text)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern)).match
