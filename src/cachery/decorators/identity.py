"""What a function or class is called in keys: its module and qualified name, and never the name of another.

Two functions may bear one name: closures made by one factory, lambdas, a name that was bound again. So in one store the
first is called by its name and each further one by its name and a number. A number is given once: a function that is
gone leaves its entries to nobody.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from weakref import WeakKeyDictionary

from cachery.exceptions import CacheValueError
from cachery.locks import make_lock

__all__ = ["Identities", "identities_of", "share_identities"]

_lock = make_lock()
_by_store: WeakKeyDictionary[Any, Identities] = WeakKeyDictionary()


def identities_of(store: object) -> Identities:
    """Return the names that are taken in ``store``, the same for every cache over it."""
    with _lock:
        return _by_store.setdefault(store, Identities())


def share_identities(store: object, other: object) -> None:
    """Let the names that are taken in ``other`` be taken in ``store`` too, from the start."""
    taken = identities_of(other)
    with _lock:
        _by_store.setdefault(store, taken)


class Identities:
    """Names given in one store.

    >>> names = Identities()
    >>> twins = [lambda: 1, lambda: 2]
    >>> [names.name_of(each).rpartition(".")[2] for each in (*twins, twins[0])]
    ['<lambda>', '<lambda>#2', '<lambda>']
    """

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def name_of(self, owner: Any) -> str:
        """Return the name of ``owner``, a function, a class or any other object that can be called."""
        with _lock:
            try:
                name = self._names.get(owner)
            except TypeError as error:
                message = f"{_bare_name(owner)} cannot be told from others of its kind: {error}"
                raise CacheValueError(message) from error
            if name is None:
                bare = _bare_name(owner)
                self._given[bare] += 1
                name = bare if self._given[bare] == 1 else f"{bare}#{self._given[bare]}"
                self._names[owner] = name
            return name


def _bare_name(owner: Any) -> str:
    plain = getattr(owner, "func", owner)  # a partial object goes by what it calls
    if not hasattr(plain, "__qualname__"):
        plain = type(plain)
    module = "__main__" if plain.__module__ == "__mp_main__" else plain.__module__  # in a process that was spawned
    return f"{module}.{plain.__qualname__}"
