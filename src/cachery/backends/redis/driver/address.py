"""``Address``: where the servers are, and how one gets in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cachery.backends.redis.driver.clients import settings_of_client
from cachery.backends.redis.driver.urls import settings_of_url
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds

__all__ = ["DEFAULT_PORT", "Address", "address_of"]

DEFAULT_PORT = 6379
_DEFAULT_HOST = "localhost"
_DEFAULT_TIMEOUT = 2.0
_DEFAULT_CONNECTIONS = 50
_HIGHEST_PORT = 65535

# What the link decides itself; a client that was given may have it otherwise.
_OWN = frozenset({"host", "port", "db", "path", "protocol", "decode_responses", "encoding", "encoding_errors"})


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One server, the primary that Sentinels name, or a cluster.

    ``nodes``: host and port of the server, of the Sentinels when there is a ``service_name``, or of some members of a
    cluster. ``path``: the Unix socket, instead of all these. ``connect_timeout`` and ``timeout`` are seconds.
    ``options``: further keyword arguments of redis-py's connections. ``client``: a blocking client of the user, whose
    pool blocking code goes through.
    """

    nodes: tuple[tuple[str, int], ...] = ((_DEFAULT_HOST, DEFAULT_PORT),)
    path: str | None = None
    db: int = 0
    username: str | None = None
    password: str | None = None
    is_tls: bool = False
    service_name: str | None = None
    is_cluster: bool = False
    connect_timeout: float = _DEFAULT_TIMEOUT
    timeout: float = _DEFAULT_TIMEOUT
    max_connections: int = _DEFAULT_CONNECTIONS
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    client: Any = field(default=None, hash=False)

    @property
    def name(self) -> str:
        """What messages call it: ``"localhost:6379"``, a path, or a service and its Sentinels."""
        if self.path is not None:
            return self.path
        places = ", ".join(f"{host}:{port}" for host, port in self.nodes)
        return places if self.service_name is None else f"{self.service_name} ({places})"

    def __repr__(self) -> str:
        kind = "cluster " if self.is_cluster else ""
        user = "" if self.username is None else f" as {self.username}"
        tls = " over TLS" if self.is_tls else ""
        return f"<Address {kind}{self.name} db={self.db}{user}{tls}>"

    def at(self, host: str, port: int) -> Address:
        """Return the address of one server, entered the same way."""
        return replace(self, nodes=((host, port),), path=None, service_name=None, is_cluster=False, client=None)


def address_of(  # noqa: PLR0913 - this is the one place where all that can be said is named
    url_or_host: str | None = None,
    port: int | None = None,
    *,
    db: int | None = None,
    username: str | None = None,
    password: str | None = None,
    ssl: bool | None = None,
    sentinels: Any = None,
    service_name: str | None = None,
    cluster: bool = False,
    client: Any = None,
    connect_timeout: Duration | None = None,
    timeout: Duration | None = None,
    max_connections: int | None = None,
    connection_options: Mapping[str, Any] | None = None,
) -> Address:
    """Return where the servers are, from what a user gives.

    ``url_or_host``: a host name, or a URL: ``redis://``, ``rediss://`` (TLS), ``unix://``, ``valkey://``,
    ``valkeys://``. ``sentinels``: pairs of host and port, with a ``service_name``. ``client``: a client of redis-py,
    blocking or not, whose settings are taken over. ``connect_timeout``, ``timeout``: 2 seconds each if not given.
    Raises ``CacheValueError`` for what is out of range or contradicts itself.

    >>> address_of("redis://:secret@cache.example:6380/2")
    <Address cache.example:6380 db=2>
    """
    said: dict[str, Any] = {"db": db, "username": username, "password": password, "is_tls": ssl}
    said |= {"connect_timeout": connect_timeout, "timeout": timeout, "max_connections": max_connections}
    given = {name: value for name, value in said.items() if value is not None}
    where = {"url_or_host": url_or_host, "port": port, "sentinels": sentinels, "service_name": service_name}
    found = _found({**where, "client": client}, given)
    options = {**found.pop("options", {}), **_checked_options(connection_options)}
    if cluster:
        found["is_cluster"] = True
    return _checked({**found, **given, "options": MappingProxyType(options)})


def _found(where: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the one way that was taken to say where the servers are says."""
    host, port, sentinels, service_name = (where[name] for name in ("url_or_host", "port", "sentinels", "service_name"))
    if where["client"] is not None:
        _refuse_beside("client", **{**where, "client": None}, **given)
        return settings_of_client(where["client"])
    if (sentinels is None) != (service_name is None):
        raise CacheValueError("sentinels and service_name go together: give both, or neither")
    if sentinels is not None:
        _refuse_beside("sentinels", url_or_host=host, port=port)
        return {"nodes": _pairs_of(sentinels), "service_name": service_name}
    if host is not None and not isinstance(host, str):
        raise CacheValueError(f"a host or URL is text, not {type(host).__name__}")
    if host is not None and "://" in host:
        _refuse_beside("a URL", port=port, db=given.get("db"), ssl=given.get("is_tls"))
        return settings_of_url(host)
    name, _, digits = (host or "").rpartition(":")
    if name and ":" not in name and digits.isdecimal():
        raise CacheValueError(f"a host has no port: write {name!r} with port={digits}, or redis://{host}")
    return {"nodes": ((host or _DEFAULT_HOST, DEFAULT_PORT if port is None else port),)}


def _refuse_beside(what: str, **others: Any) -> None:
    """Raise ``CacheValueError`` for what says once more what ``what`` says."""
    limits = ("connect_timeout", "timeout", "max_connections")  # ours, whoever connects
    said = [name for name, value in others.items() if value is not None and name not in limits]
    if said:
        raise CacheValueError(f"{what} says where the servers are; {said[0].replace('is_tls', 'ssl')} contradicts it")


def _pairs_of(sentinels: Any) -> tuple[tuple[str, int], ...]:
    try:
        pairs = tuple((host, port) for host, port in sentinels)
    except (TypeError, ValueError):
        raise CacheValueError("sentinels are pairs of host and port: [('localhost', 26379)]") from None
    if not pairs:
        raise CacheValueError("sentinels is empty: name at least one")
    return pairs


def _checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    options = {} if options is None else dict(options)
    for name in options:
        if not isinstance(name, str) or name in _OWN:
            raise CacheValueError(f"{name!r} is not one of the connection_options: it is decided elsewhere")
    return options


def _checked(values: dict[str, Any]) -> Address:
    """Return the address of these settings. Raises ``CacheValueError``."""
    for name in ("connect_timeout", "timeout"):
        values[name] = _patience_of(values.get(name, _DEFAULT_TIMEOUT), name)
    address = Address(**values)
    for host, port in address.nodes:
        _check_place(host, port)
    _check_number("db", address.db, least=0)
    _check_number("max_connections", address.max_connections, least=1)
    if address.is_cluster and (address.service_name is not None or address.path is not None):
        raise CacheValueError("cluster contradicts sentinels and a Unix socket")
    if address.is_cluster and address.db:
        raise CacheValueError(f"a cluster has no databases but 0: db={address.db}")
    return address


def _check_place(host: Any, port: Any) -> None:
    if not isinstance(host, str) or not host:
        raise CacheValueError(f"a host is a name, not {host!r}")
    _check_number("port", port, least=1)
    if port > _HIGHEST_PORT:
        raise CacheValueError(f"port must be 1 to {_HIGHEST_PORT}, not {port}")


def _check_number(name: str, value: Any, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CacheValueError(f"{name} must be a whole number, not {value!r}")
    if value < least:
        raise CacheValueError(f"{name} must be {least} or more, not {value}")


def _patience_of(span: Duration, name: str) -> float:
    patience = seconds(span, name)
    if not 0 < patience < float("inf"):
        raise CacheValueError(f"{name} must be above 0 and finite, not {span!r}")
    return patience
