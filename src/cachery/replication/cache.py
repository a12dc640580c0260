"""``ReplicatedCache``: a cache whose changes other sites see, and that sees theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from secrets import token_bytes
from typing import TYPE_CHECKING, Any
from weakref import ref

from cachery.cache import Cache
from cachery.codecs import EncryptionKeys, SerializerChoice, build_codec
from cachery.events import Event, Listener, check_listener, listening, notify, without
from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.forks import reset_in_child
from cachery.keys.text import exact_key, exact_keys, exact_tags
from cachery.model.durations import Duration, seconds
from cachery.replication.backend import ReplicatedBackend
from cachery.replication.local import POSITION, Local
from cachery.replication.log import Log, Position
from cachery.replication.outbox import KEY
from cachery.replication.replica import Replica
from cachery.replication.wire import CLEAR, PATTERN, TAG, Wire
from cachery.replication.worker import Workers
from cachery.serializers.keyring import Secret
from cachery.serializers.pipeline import Codec
from cachery.settings import from_environment
from cachery.statistics.stats import CacheStats

if TYPE_CHECKING:  # loaded when something is loaded through a cache for the first time
    from cachery.loading import BlockingEngine

__all__ = ["ReplicatedCache"]


class ReplicatedCache(Cache):
    """``cache``, and with it what other sites write to theirs: each change goes through ``log`` to all of them.

    Reads are those of ``cache``, at its speed. A write is made there at once and told to the others afterwards, in the
    background; of two that contradict each other, the later in the log stays, at every site. While the log is away the
    cache goes on by itself, and what it did is told when the log is back. Every change is told at least once: ``set``,
    ``add``, ``incr``, ``touch`` and loads as the value that ``cache`` then holds, with its tags and the seconds that it
    has left; so ``incr`` at two sites at once counts one of them. What ``cache`` evicts, others keep.

    All writes must go through this object: what is done to ``cache`` itself is told to nobody. What ``cache`` holds
    that is not known to belong to a position in the log is forgotten when the log is first reached, but for what was
    written here meanwhile. A cache on disk keeps its position, under a key of its own that counts in ``stats``.

    ``site``: the name of this place; processes that share one store share its name. ``serializer``, ``compression``,
    ``encryption`` and ``max_value_bytes``: how values travel, the same at all sites; one that cannot travel is deleted
    at the others, logged and reported as ``Unreadable``, and so is one that cannot be read on arrival. ``secret``:
    signs all that is told; ``None`` is ``CACHERY_SECRET``, or no signature. ``outbox_size``: how many changes are kept
    while the log is away; beyond that, all sites forget everything when it is back. ``snapshot``: whether a cache that
    begins with nothing asks the others for what they hold; one whose part of the log is gone always does.
    ``snapshot_timeout``: seconds to wait for an answer. ``position``: where to go on, the ``replica.position`` that a
    cache had which held the same entries. ``is_started=False``: do nothing until ``start()``.

    Raises ``CacheValueError`` for arguments it cannot take, for a ``NamespacedCache`` (make namespaces of this one) and
    for ``serializer="pickle"`` without a secret.

    >>> from cachery import InMemoryCache
    >>> from cachery.replication import MemoryLog, ReplicatedCache
    >>> with ReplicatedCache(InMemoryCache(), MemoryLog(), site="paris") as cache:
    ...     cache.set("answer", 42), cache.replica.wait_until_caught_up(5), cache.replica.pending
    (True, True, 0)
    """

    def __init__(  # noqa: PLR0913 - independent settings, all but two by name
        self,
        cache: Cache,
        log: Log,
        *,
        site: str,
        serializer: SerializerChoice = "json",
        compression: str | None = None,
        encryption: EncryptionKeys | None = None,
        secret: Secret | None = None,
        max_value_bytes: int | str = "64MB",
        outbox_size: int = 10_000,
        snapshot: bool = False,
        snapshot_timeout: Duration = 5,
        position: str | None = None,
        is_started: bool = True,
    ) -> None:
        if not isinstance(cache, Cache):
            raise CacheValueError(f"cache is a Cache, not {type(cache).__name__}")
        if not isinstance(site, str) or not site:
            raise CacheValueError(f"site is a name, not {site!r}")
        if isinstance(outbox_size, bool) or not isinstance(outbox_size, int) or outbox_size < 1:
            raise CacheValueError(f"outbox_size is a number of changes, 1 or more, not {outbox_size!r}")
        codec = _codec(serializer, compression, encryption, secret, max_value_bytes)
        self.cache = cache
        self.log = log
        self._local = Local(cache)
        self._listeners: tuple[Listener, ...] = ()
        self.replica = Replica(
            self._local,
            log,
            Wire(codec),
            site=site,
            outbox_size=outbox_size,
            wants_snapshot=snapshot,
            snapshot_timeout=seconds(snapshot_timeout, "snapshot_timeout"),
            position=_position(position),
            report=_Reporter(self),
        )
        self._workers: Workers | None = None
        reset_in_child(self)
        if is_started:
            self.start()

    def __repr__(self) -> str:
        return f"<ReplicatedCache {self.replica.site!r} of {self.cache!r}>"

    @property
    def name(self) -> str | None:
        """The name of the cache beneath."""
        name: str | None = getattr(self.cache, "name", None)
        return name

    @property
    def clock(self) -> Any:
        """The clock of the cache beneath, if it was given one."""
        return getattr(self.cache, "clock", None)

    @property
    def max_size(self) -> int | None:
        """The bound of the cache beneath, in entries; ``None`` when it has none."""
        return self.cache.stats.max_size or None

    # Following

    def start(self) -> None:
        """Begin to send and to follow, on two threads; nothing happens when they run."""
        self.check_open()
        if self._workers is None:
            self._workers = Workers(self.replica, block=1.0)

    def stop(self, timeout: float = 5.0) -> None:
        """Send what is pending, if the log can be reached, and end the threads; wait at most ``timeout`` seconds each.

        What could not be sent is sent after another ``start()``; with the process it is lost.
        """
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.finish(timeout)
            workers.stop(timeout)

    def close(self) -> None:
        """Let loads end, send what is pending if the log can be reached, and close the cache and the log."""
        if not self._is_closed:
            self.drain()
            workers, self._workers = self._workers, None
            if workers is not None:
                workers.finish(5.0)
            self.log.close()
            if workers is not None:
                workers.stop(5.0)
            self.cache.close()

    def reset_after_fork(self) -> None:
        """Go on in a child as a process of its own, with what the cache held."""
        self.replica.reset_after_fork()
        if self._workers is not None:
            self._workers = Workers(self.replica, block=1.0)

    # Reading

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` when it is absent or expired."""
        return self.cache.get(key, default)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of those of ``keys`` that are there."""
        return self.cache.get_many(keys)

    def peek(self, key: str) -> Any:
        """Return the value of ``key`` if it is fresh and no refresh is due, else ``MISSING``."""
        return self.cache.peek(key)

    def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there. Neither recency nor counters change."""
        return self.cache.exists(key)

    def ttl(self, key: str) -> float | None:
        """Return the seconds that ``key`` has left: ``None`` when it is absent, ``inf`` when it never expires."""
        return self.cache.ttl(key)

    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Return an iterator over the live keys that match the glob ``pattern``."""
        found = self.cache.keys(pattern)
        return (key for key in found if key != POSITION) if self._local.survives else found

    def __len__(self) -> int:
        """Return how many entries are live."""
        return self.replica.count() if self._local.survives else len(self.cache)

    # Writing

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
        """Store ``value`` here at once, and at the others soon; True when stored."""
        act = partial(self.cache.set, key, value, ttl, tags=tags, cost=cost, depends_on=depends_on)
        return self.replica.change(KEY, [exact_key(key)], act)

    def set_many(self, mapping: Mapping[str, Any], ttl: Duration | None = None) -> bool:
        """Store every value of ``mapping``; True when all were stored. A bad key, value or TTL stores none."""
        if not isinstance(mapping, Mapping):
            raise CacheValueError(f"mapping maps keys to values; {type(mapping).__name__} does not")
        keys = [exact_key(key) for key in mapping]
        return self.replica.change(KEY, keys, lambda: self.cache.set_many(mapping, ttl))

    def add(self, key: str, value: Any, ttl: Duration | None = None) -> bool:
        """Store ``value`` only if ``key`` is absent here; True when stored. Two sites may both succeed."""
        return self.replica.change(KEY, [exact_key(key)], lambda: self.cache.add(key, value, ttl), is_sure=False)

    def incr(self, key: str, by: int = 1, *, initial: int = 0, ttl: Duration | None = None) -> int:
        """Add ``by`` to the whole number under ``key`` here and return the sum, which the others then hold too."""
        act = lambda: self.cache.incr(key, by, initial=initial, ttl=ttl)  # noqa: E731 - said once, used once
        return self.replica.change(KEY, [exact_key(key)], act)

    def touch(self, key: str, ttl: Duration | None = None) -> bool:
        """Let ``key`` live for ``ttl`` from now on; True if it was there."""
        return self.replica.change(KEY, [exact_key(key)], lambda: self.cache.touch(key, ttl), is_sure=False)

    # Removing

    def delete(self, key: str) -> bool:
        """Remove ``key`` here and at the others; True if it was here."""
        return self.replica.change(KEY, [exact_key(key)], lambda: self.cache.delete(key))

    def delete_many(self, keys: Iterable[str]) -> int:
        """Remove ``keys``; return how many were here. A bad key removes none."""
        self.check_open()
        wanted = exact_keys(keys)
        return self.replica.change(KEY, wanted, lambda: self.cache.delete_many(wanted))

    def delete_pattern(self, pattern: str) -> int:
        """Remove every key that matches the glob ``pattern``; return how many were here."""
        return self.replica.change(PATTERN, [pattern], lambda: self._local.delete_pattern(pattern))

    def clear(self) -> bool:
        """Remove every entry, here and at the others; True."""
        return self.replica.change(CLEAR, [""], self.cache.clear)

    def invalidate_tags(self, *tags: str) -> None:
        """Make every entry that carries one of ``tags`` unreadable, here and at the others."""
        checked = exact_tags(tags)
        self.replica.change(TAG, checked, lambda: self.cache.invalidate_tags(*checked))

    def cleanup_expired(self) -> int:
        """Remove what is dead already; return how many entries that were."""
        return self.cache.cleanup_expired()

    # Numbers, events, loading

    @property
    def stats(self) -> CacheStats:
        """The numbers of the cache beneath, in which what others wrote counts too."""
        return self.cache.stats

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event of the cache beneath, and with ``Unreadable`` for what cannot travel.

        It is called while changes wait for their turn, so it must not wait for another thread that makes one.
        """
        check_listener(listener)
        self.check_open()
        end = self.cache.subscribe(lambda event: None if getattr(event, "key", "") == POSITION else listener(event))
        self._listeners = (*self._listeners, listener)

        def stop(one: Listener) -> None:
            end()
            self._listeners = without(self._listeners, one)

        return listening(listener, stop)

    def report(self, event: Event) -> None:
        """Hand ``event`` to those who listen to this object."""
        notify(self._listeners, event)

    def build_engine(self) -> BlockingEngine:
        """Return the engine of the cache beneath, the loads of which are told to the others."""
        from cachery.loading import BlockingEngine  # noqa: PLC0415 - loaded when something is loaded first

        beneath = self._local.engine
        return BlockingEngine(
            beneath.core.over(ReplicatedBackend(beneath.core.backend, self.replica)), beneath.recorder
        )

    def check_open(self) -> None:
        """Raise ``CacheClosedError`` on a closed cache."""
        self.cache.check_open()

    @property
    def _is_closed(self) -> bool:
        try:
            self.cache.check_open()
        except CacheClosedError:
            return True
        return False


class _Reporter:
    """Tells ``cache``, which it does not keep alive."""

    def __init__(self, cache: ReplicatedCache) -> None:
        self._cache = ref(cache)

    def __call__(self, event: Event) -> None:
        cache = self._cache()
        if cache is not None:
            cache.report(event)


def _position(text: str | None) -> Position | None:
    known = Position.parse(text)
    if text is not None and known is None:
        raise CacheValueError(f"position is what replica.position was, not {text!r}")
    return known


def _codec(
    serializer: SerializerChoice,
    compression: str | None,
    encryption: EncryptionKeys | None,
    secret: Secret | None,
    max_value_bytes: int | str,
) -> Codec:
    """Return what writes values; without any secret, it signs nothing."""
    own = from_environment("CACHERY_SECRET") if secret is None else secret
    codec = build_codec(
        serializer=serializer,
        compression=compression,
        compression_threshold=1024,
        encryption=encryption,
        secret=own or token_bytes(32),
        max_value_bytes=max_value_bytes,
        name="cachery.replication",
    )
    return codec if own else Codec(codec.recipe, None)
