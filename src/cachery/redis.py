"""``RedisCache``: a cache on Redis or Valkey, shared by all who reach it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from cachery.backends.observers import Both
from cachery.backends.redis import scripts
from cachery.backends.redis.driver.address import address_of
from cachery.backends.redis.driver.guarded import Guarded
from cachery.backends.redis.driver.opening import open_blocking
from cachery.backends.redis.link import Command, Link
from cachery.backends.redis.names import Names
from cachery.backends.redis.renewal import Renewal
from cachery.backends.redis.settings import Settings
from cachery.backends.redis.shelf import Later, Shared
from cachery.backends.redis.shelter import Shelter
from cachery.backends.redis.store import RedisStore
from cachery.backends.redis.tokens import Tokens
from cachery.breaker import CircuitBreaker
from cachery.codecs import EncryptionKeys, SerializerChoice, build_codec
from cachery.exceptions import CacheConnectionError, CacheTimeoutError, CacheValueError
from cachery.in_memory import InMemoryCache
from cachery.model.durations import Duration, life_of
from cachery.model.sizes import Size
from cachery.ports.clock import Clock, monotonic
from cachery.ports.store import Observer
from cachery.redis_tier import BusChoice, RedisTier
from cachery.serializers.keyring import Secret
from cachery.settings import from_environment, is_set
from cachery.step import step
from cachery.stepped import SteppedStore
from cachery.stored import StoredCache

__all__ = ["RedisCache"]


_FAILURES, _REST = 5, 1.0
_logger = logging.getLogger("cachery.redis")


class RedisCache(StoredCache):
    """A cache on a Redis (6 or later) or Valkey server, on what Sentinels name, or in a cluster.

    ``url_or_host``: a URL (``redis://``, ``rediss://`` with TLS, ``unix://``) or a host; also ``redis_url=`` and
    ``host=``. Without it, ``REDIS_HOST`` and ``REDIS_PORT`` say where, or else it is ``localhost:6379``.
    ``sentinels``: pairs of host and port, who know the primary of ``service_name``. ``cluster``: whether the server
    belongs to a cluster. ``client``: a client of redis-py whose settings, and in blocking code whose connections, are
    used. ``username``, ``password``, ``ssl`` and ``connection_options``, further arguments of redis-py's connections.

    ``default_ttl``: how long an entry lives that is stored without a TTL, ``None`` for ever. ``prefix`` and ``name``
    stand before every key: caches that differ in one of them never meet. ``connect_timeout`` and ``timeout``: the most
    seconds that connecting, and an operation, may take. ``lease_timeout``: seconds that a load waits for the load of
    the same key elsewhere; ``lease_life``: seconds after which a holder that is gone is taken to be so.

    ``serializer``: ``"msgpack"``, ``"json"``, with a secret ``"pickle"``, or a ``CacheSerializer``. ``secret``: what
    signs the records; ``None`` for ``CACHERY_SECRET``, or else they are not signed. ``compression``, ``encryption`` and
    ``max_value_bytes`` are those of ``DiskCache``.

    ``breaker`` leaves a server alone that failed again and again: by default five times, with a ``fallback`` once, for
    a second. ``fallback``: a memory cache in which all goes on while the server is away; when it is back, it is told
    what it missed, the newest change of a key winning, and ``fallback`` is emptied. ``degraded`` says whether it is
    away.

    Nothing is connected before the first operation; one that cannot reach the server raises ``CacheConnectionError``,
    one that takes too long ``CacheTimeoutError``; a full server ``CacheFullError``. The loading verbs go on without it,
    and with a ``fallback`` so do all.

    >>> cache = RedisCache("redis://localhost:6379/0", default_ttl="5m", name="products")
    >>> cache
    <RedisCache 'products' at localhost:6379>
    """

    def __init__(  # noqa: PLR0913 - independent settings, all but a few by name
        self,
        url_or_host: str | None = None,
        port: int | None = None,
        db: int | None = None,
        default_ttl: Duration | None = None,
        *,
        redis_url: str | None = None,
        host: str | None = None,
        username: str | None = None,
        password: str | None = None,
        ssl: bool | None = None,
        sentinels: Sequence[tuple[str, int]] | None = None,
        service_name: str | None = None,
        cluster: bool = False,
        client: Any = None,
        connection_options: Mapping[str, Any] | None = None,
        connect_timeout: Duration | None = None,
        timeout: Duration | None = None,
        max_connections: int | None = None,
        prefix: str = "cachery",
        serializer: SerializerChoice = "msgpack",
        secret: Secret | None = None,
        compression: str | None = None,
        compression_threshold: Size = 1024,
        encryption: EncryptionKeys | None = None,
        max_value_bytes: Size = "64MiB",
        lease_timeout: Duration = 60,
        lease_life: Duration = 10,
        breaker: CircuitBreaker | None = None,
        fallback: InMemoryCache | None = None,
        clock: Clock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(default_ttl, clock=clock, name=name, max_size=None)
        if fallback is not None and not isinstance(fallback, InMemoryCache):
            raise CacheValueError(f"fallback is an InMemoryCache, not {type(fallback).__name__}")
        place = _only_one(url_or_host, redis_url, host)
        if place is None and port is None and client is None and sentinels is None:
            place, port = _place_in_environment()
        self.address = address_of(
            place,
            port,
            db=db,
            username=username,
            password=password,
            ssl=ssl,
            sentinels=sentinels,
            service_name=service_name,
            cluster=cluster,
            client=client,
            connect_timeout=connect_timeout,
            timeout=timeout,
            max_connections=max_connections,
            connection_options=connection_options,
        )
        self.names = names = Names(prefix, name or "")
        codec = build_codec(
            serializer=serializer,
            compression=compression,
            compression_threshold=compression_threshold,
            encryption=encryption,
            secret=secret,
            max_value_bytes=max_value_bytes,
            name=names.base.decode("utf-8", "surrogateescape"),
            is_shared=True,
        )
        settings = Settings(
            life_of(default_ttl),
            life_of(lease_life, "lease_life"),
            life_of(lease_timeout, "lease_timeout"),
            clock=clock or monotonic,
        )
        self._shared = Shared(names, codec, settings, Tokens(), Renewal(settings.lease_life, self._send))
        self.observer: Observer = self
        self._has_own_breaker = breaker is not None
        self.breaker = breaker or CircuitBreaker(1 if fallback is not None else _FAILURES, recovery_time=_REST)
        self.link = Guarded(open_blocking(self.address), self.breaker, self._note_down, self._note_up)
        store = self.store_over(self.link, self, self.carry_on)
        self.shelter: Shelter | None = None if fallback is None else Shelter(store, fallback, tier=self.address.name)
        self._is_awaited = True
        self.store = SteppedStore(store if self.shelter is None else self.shelter.blocking)

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r} "
        return f"<{type(self).__name__} {name}at {self.address.name}>"

    def ping(self) -> bool:
        """Ask the server for a sign of life; True when it gives one, within the budget of time."""
        self.check_open()
        try:
            step(self.link.ask([("PING",)]))
        except (CacheConnectionError, CacheTimeoutError):  # reported by the link
            return False
        return True

    def store_over(self, link: Link, observer: Observer, later: Later) -> RedisStore:
        """Return a store over ``link``, which shares with the others of this object what they know of loads."""
        return RedisStore(link, self._shared, observer, later)

    def tier(
        self,
        near: InMemoryCache,
        observer: Observer,
        later: Later,
        *,
        bus: BusChoice = "auto",
        max_stale_when_blind: Duration = 2.0,
    ) -> RedisTier:
        """Return what makes stores with ``near`` before this cache, whose ``observer`` hears too what becomes of it."""
        self.observer = Both(self, observer)
        tier = RedisTier(
            self, near, bus=bus, max_stale_when_blind=max_stale_when_blind, observer=self.observer, later=later
        )
        self.shelter = tier.shelter
        if not self._has_own_breaker:
            self.breaker.failure_threshold = 1  # all goes on without the server: nobody has to wait for it twice
        return tier

    def close(self) -> None:
        """Let what is loaded in the background end, tell the server what it missed, and close the connections."""
        if self.shelter is not None and not self._is_closed:
            self.drain()
            self.shelter.close()
        super().close()

    def guarded(self, link: Link) -> Link:
        """Return ``link`` with the breaker of this cache; that the server is away, is told once for all its links."""
        return self.link.beside(link)

    def _send(self, commands: Sequence[Command]) -> None:
        step(scripts.ask(self.link, commands))

    def _note_down(self, error: BaseException) -> None:
        if self.shelter is not None:
            _logger.warning("%r goes on in memory until its server is back: %s", self, error)
            self.shelter.recover()
        self.observer.tier_down(self.address.name, str(error))

    def _note_up(self) -> None:
        _logger.info("%r reaches its server again", self)
        self.observer.tier_up(self.address.name)


def _place_in_environment() -> tuple[str, int | None]:
    """Return host and port, or the URL, that the environment names."""
    if is_set("REDIS_URL") and not (is_set("REDIS_HOST") or is_set("REDIS_PORT")):
        return from_environment("REDIS_URL"), None
    return from_environment("REDIS_HOST"), from_environment("REDIS_PORT")


def _only_one(*given: str | None) -> str | None:
    """Return the one that was given, if any; raise ``CacheValueError`` for several."""
    places = [place for place in given if place is not None]
    if len(places) > 1:
        raise CacheValueError("url_or_host, redis_url and host say the same: give one of them")
    return places[0] if places else None
