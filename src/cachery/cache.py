"""``Cache``: the verbs every cache speaks, and those that follow from the others."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

from cachery.events import Listener
from cachery.exceptions import CacheValueError
from cachery.keys.text import check_whole, exact_key, exact_keys
from cachery.model.durations import Duration, seconds
from cachery.model.options import CachedOptions, LoadingOptions
from cachery.model.sentinels import MISSING, Missing
from cachery.model.values import check_value
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when they are used for the first time
    from cachery.decorators.types import CachedFunction, Decorator, OfClass
    from cachery.loading import BlockingEngine
    from cachery.recording import TraceRecording

__all__ = ["Cache"]

P = ParamSpec("P")
R = TypeVar("R")


class Cache(ABC):
    """A cache. Keys are ``str``; a TTL is seconds, a ``timedelta`` or text such as ``"5m"``.

    Every verb raises ``CacheKeyError`` for a key that is not a ``str``, ``CacheValueError`` for another argument it
    cannot take, and ``CacheClosedError`` on a closed cache; it then leaves the cache as it was.

    >>> from cachery import InMemoryCache
    >>> with InMemoryCache() as cache:
    ...     cache.set("user:42", {"name": "Ada"}, ttl="5m", tags=["users"])
    ...     cache.get("user:42")
    True
    {'name': 'Ada'}
    """

    @abstractmethod
    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired. A stored ``None`` is a value."""

    @abstractmethod
    def set(
        self,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        tags: Iterable[str] = (),
        cost: float | None = None,
        depends_on: Iterable[Any] = (),
    ) -> bool:
        """Store ``value``; True when stored.

        ``ttl``: ``None`` is the cache's default, ``FOREVER`` no end in spite of a default; 0 or less removes ``key``
        and returns False. ``tags``: names by which ``invalidate_tags`` finds the entry. ``cost``: what computing the
        value took, in seconds or money, kept with the entry for policies that weigh it. ``depends_on``: what the value
        was made of, as it is now: names, paths, and ``File``, ``Key`` and ``Version`` of ``cachery.invalidation``;
        ``get_or_set`` looks at them before it loads. A coroutine or a generator, which can be used only once, is
        refused. Raises ``CacheInvalidationError`` where the entry would depend on itself.
        """

    @abstractmethod
    def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent, in one step; True when stored."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Remove ``key``; True if it was there."""

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""

    @abstractmethod
    def clear(self) -> bool:
        """Remove this cache's own entries, never a neighbour's; True, also when there were none."""

    @abstractmethod
    def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key``, in one step, and return the sum.

        An absent key begins at ``initial`` and lives for ``ttl``; both count only then. Raises ``CacheValueError`` when
        something else than an ``int`` is stored or given.
        """

    @abstractmethod
    def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on, ``None`` being the default; True if it was there.

        A ``ttl`` of 0 or less deletes it.
        """

    @abstractmethod
    def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""

    @abstractmethod
    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match the glob ``pattern`` (``*``, ``?``, ``[ab]``, ``[!ab]``)."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many entries are live. Those dead by a tag may count until they are touched or swept."""

    @abstractmethod
    def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many there were."""

    @abstractmethod
    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, in a time that does not depend on their number."""

    @abstractmethod
    def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were. ``TTLManager`` calls it."""

    @property
    @abstractmethod
    def stats(self) -> CacheStats:
        """The numbers of this cache, live. Called, it returns itself: ``cache.stats()`` is ``cache.stats``."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event (``cachery.events``) from now on; return a function that ends it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Any verb after that raises ``CacheClosedError``; closing again does nothing."""

    @abstractmethod
    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""

    @abstractmethod
    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``, which counts nothing."""

    @abstractmethod
    def build_engine(self) -> BlockingEngine:
        """Return a new engine that loads through this cache. Called once, when something is loaded first."""

    @property
    def engine(self) -> BlockingEngine:
        """What the loading verbs work with, one for the life of the cache."""
        made: BlockingEngine | None = self.__dict__.get("_engine")
        if made is None:  # of two made at the same time the first stays; no lock is held while modules are loaded
            made = self.__dict__.setdefault("_engine", self.build_engine())
        return made

    def drain(self, timeout: float = 5.0) -> bool:
        """Let what is loaded in the background end, at most ``timeout`` seconds; True when nothing is left.

        ``close`` begins with it.
        """
        made: BlockingEngine | None = self.__dict__.get("_engine")
        return made is None or made.drain(timeout)

    def get_or_set(
        self, key: str, loader: Callable[..., R], ttl: Duration | None = None, **options: Unpack[LoadingOptions]
    ) -> R:
        """Return the value of ``key``; where it is absent, call ``loader``, store what it returns, and return that.

        However many threads, tasks and event loops ask at once, the loader runs once. A value that is invalidated
        while it is loaded goes to those who wait for it and is not stored. ``loader`` takes no argument, or one
        annotated ``LoadContext``. ``options`` are those of ``LoadingOptions``.

        Raises what ``loader`` raises, for each caller an exception of its own; ``CacheRecursionError`` when ``loader``
        asks for ``key``; ``CacheTimeoutError`` after ``hard_timeout``; ``CacheValueError`` for options that contradict
        each other and for a loader that is a coroutine function, which belongs to ``cachery.aio``.

        >>> from cachery import InMemoryCache
        >>> cache = InMemoryCache()
        >>> cache.get_or_set("answer", lambda: 6 * 7, ttl="5m"), cache.get("answer")
        (42, 42)
        """
        value: R | Missing = self.peek(key)
        return value if value is not MISSING else self.engine.load(key, loader, ttl, options).result()

    def get_many_or_set(
        self,
        keys: Iterable[str],
        loader: Callable[[list[str]], Mapping[str, Any]],
        ttl: Duration | None = None,
        **options: Unpack[LoadingOptions],
    ) -> dict[str, Any]:
        """Return the values of ``keys``; call ``loader`` once, with the list of those that are absent.

        ``loader`` returns a mapping from key to value; a key that it leaves out is absent from the answer, and not
        stored. A key that is being loaded already, by this verb or by ``get_or_set``, is waited for. Options and
        exceptions are those of ``get_or_set``.

        >>> from cachery import InMemoryCache
        >>> cache = InMemoryCache()
        >>> cache.set("a", 1)
        True
        >>> cache.get_many_or_set(["a", "b"], lambda keys: {key: key.upper() for key in keys})
        {'a': 1, 'b': 'B'}
        """
        self.check_open()
        loaded: dict[str, Any] = self.engine.load_many(keys, loader, ttl, options).result()
        return loaded

    @overload
    def cached(self, function: classmethod[Any, P, R], /) -> OfClass[CachedFunction[P, R]]: ...
    @overload
    def cached(self, function: Callable[P, R], /) -> CachedFunction[P, R]: ...
    @overload
    def cached(
        self, function: None = None, /, ttl: Duration | None = None, **options: Unpack[CachedOptions]
    ) -> Decorator: ...
    def cached(self, function: Any = None, /, ttl: Duration | None = None, **options: Any) -> Any:
        """Return a decorator that keeps what a function returns in this cache, by its arguments.

        ``ttl`` and ``options`` are those of ``get_or_set``, and three more: ``key``, a template such as
        ``"user:{user_id}"`` or a function of the arguments; ``key_self``, what stands for the object of a method, a
        function or the name of an attribute; ``tags`` may be templates too. Without ``key`` the function's name and all
        its arguments, with their types, make the key.

        The decorated function has ``invalidate(...)``, ``refresh(...)`` and ``key(...)``, which take its arguments, and
        ``cache``. Methods, class methods, static methods and generators are decorated alike; of a generator the items
        are kept, once it has come to its end.

        Raises ``CacheValueError`` at once for a coroutine function (``cachery.aio`` decorates those), a template that
        names no argument, a method without ``key``, ``key_self`` or a ``__cache_key__`` in its class, and for options
        that contradict each other.

        >>> from cachery import InMemoryCache
        >>> cache = InMemoryCache()
        >>> @cache.cached(ttl="5m", key="square:{number}")
        ... def square(number: int) -> int:
        ...     return number * number
        >>> square(12), square.key(12), cache.get("square:12"), square.invalidate(12)
        (144, 'square:12', 144, True)
        """
        from cachery.decorators import cached_in  # noqa: PLC0415 - loaded when it is used

        return cached_in(self, function, ttl, options)

    def record_trace(self, path: str | os.PathLike[str]) -> TraceRecording:
        """Write the key of every request to ``path`` from now on, a line each, until what is returned is closed.

        Such a file is what ``cachery simulate`` and ``cachery.simulation`` read. What is a request, how a key is
        written and when the file is whole, ``cachery.simulation.record_trace`` says.

        Raises ``CacheValueError`` for a file that cannot be written, or whose name says that it is no text.

        >>> from tempfile import TemporaryDirectory
        >>> from cachery import InMemoryCache
        >>> from cachery.simulation import read_trace
        >>> cache = InMemoryCache()
        >>> with TemporaryDirectory() as folder:
        ...     with cache.record_trace(f"{folder}/requests.trace"):
        ...         values = [cache.get(key) for key in ("a", "b", "a")]
        ...     read_trace(f"{folder}/requests.trace")
        ['a', 'b', 'a']
        """
        from cachery.recording import record_trace  # noqa: PLC0415 - loaded when it is used

        return record_trace(self, path)

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is there, as ``exists``."""
        return self.exists(key)

    def __contains__(self, key: str) -> bool:
        """Tell whether ``key`` is there, as ``exists``."""
        return self.exists(key)

    def __bool__(self) -> bool:
        """Return True: an empty cache is a cache."""
        return True

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there.

        >>> from cachery import InMemoryCache
        >>> cache = InMemoryCache()
        >>> cache.set_many({"a": 1, "b": 2})
        True
        >>> cache.get_many(["a", "b", "c"])
        {'a': 1, 'b': 2}
        """
        self.check_open()
        found = {key: self.get(key, MISSING) for key in exact_keys(keys)}
        return {key: value for key, value in found.items() if value is not MISSING}

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored. A bad key, value or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        self.check_open()
        life = None if ttl is None else seconds(ttl)
        checked = {exact_key(key): value for key, value in mapping.items()}
        for value in checked.values():
            check_value(value)
        stored = [self.set(key, value, life) for key, value in checked.items()]
        return all(stored)

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were there. A bad key removes none."""
        self.check_open()
        return sum(self.delete(key) for key in exact_keys(keys))

    def decr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Subtract ``by`` from the whole number under ``key``, as ``incr`` adds."""
        check_whole(by=by)
        return self.incr(key, -by, initial=initial, ttl=ttl)

    def get_stats(self) -> CacheStats:
        """Return ``stats``."""
        return self.stats

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"{type(self).__name__} objects cannot be pickled or copied: name one in the manager, or make another"
        )
