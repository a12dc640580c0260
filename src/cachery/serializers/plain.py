"""Whether a value is plain: lists and dicts, and in them what a format has by itself."""

from __future__ import annotations

from itertools import chain
from typing import Any

from cachery.serializers.refusals import DEEPEST

__all__ = ["is_plain"]

_BRANCHES = frozenset({list, dict})


def is_plain(value: Any, leaves: frozenset[type], keys: frozenset[type]) -> bool:
    """Tell whether ``value`` is made of lists, dicts with keys of the types ``keys``, and ``leaves``, not too deep.

    Types are exact, a subclass is none of them. Goes level by level, so that the members of a level are looked at in C;
    what is met twice on a level is looked into once, so a value that contains itself does no harm.

    >>> leaves, keys = frozenset({int}), frozenset({str})
    >>> is_plain([1, {"a": [2]}], leaves, keys), is_plain([(1,)], leaves, keys), is_plain({1: 2}, leaves, keys)
    (True, False, False)
    """
    level = [value] if type(value) not in leaves else []
    for _ in range(DEEPEST):
        if not level:
            return True
        if not _BRANCHES.issuperset(map(type, level)):
            return False
        dicts = [branch for branch in level if type(branch) is dict]
        if not keys.issuperset(map(type, chain.from_iterable(dicts))):
            return False
        lists = [branch for branch in level if type(branch) is list]
        members = chain.from_iterable(chain(lists, map(dict.values, dicts)))
        level = list({id(member): member for member in members if type(member) not in leaves}.values())
    return not level
