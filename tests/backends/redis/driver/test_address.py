"""Where the servers are, from what a user gives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.sentinel import Sentinel

from cachery import CacheValueError
from cachery.backends.redis.driver.address import address_of


def test_without_anything_it_is_the_local_server() -> None:
    address = address_of()
    assert address.nodes == (("localhost", 6379),)
    assert (address.db, address.is_tls, address.is_cluster, address.timeout) == (0, False, False, 2.0)


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("redis://cache", {"nodes": (("cache", 6379),), "is_tls": False}),
        ("rediss://cache:7000/3", {"nodes": (("cache", 7000),), "db": 3, "is_tls": True}),
        ("valkey://cache:7000", {"nodes": (("cache", 7000),), "is_tls": False}),
        ("VALKEYS://cache", {"nodes": (("cache", 6379),), "is_tls": True}),
        ("redis://ann:a%40b@cache", {"username": "ann", "password": "a@b"}),
        ("redis://[::1]:7", {"nodes": (("::1", 7),)}),
        ("unix:///run/redis.sock?db=2", {"path": "/run/redis.sock", "db": 2}),
        ("redis://cache?socket_timeout=0.5&max_connections=7", {"timeout": 0.5, "max_connections": 7}),
        ("rediss://cache?ssl_ca_certs=ca.pem", {"options": {"ssl_ca_certs": "ca.pem"}}),
        ("redis://cache?protocol=3&decode_responses=yes", {"options": {}}),
    ],
)
def test_a_url(url: str, fields: dict[str, Any]) -> None:
    address = address_of(url)
    assert {name: getattr(address, name) for name in fields} == fields


def test_durations_are_what_they_are_everywhere() -> None:
    assert address_of("cache", timeout="250ms", connect_timeout="1s").timeout == 0.25


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"port": 0}, "port must be 1 or more"),
        ({"port": 65536}, "port must be 1 to 65535"),
        ({"port": "6379"}, "port must be a whole number"),
        ({"port": True}, "port must be a whole number"),
        ({"db": -1}, "db must be 0 or more"),
        ({"max_connections": 0}, "max_connections must be 1 or more"),
        ({"timeout": 0}, "timeout must be above 0"),
        ({"connect_timeout": "never"}, "connect_timeout='never' is no time span"),
        ({"url_or_host": ""}, None),
        ({"url_or_host": b"cache"}, "a host or URL is text"),
        ({"url_or_host": "http://cache"}, "http:// is no scheme of a server"),
        ({"url_or_host": "redis://cache:port"}, "is the port a number"),
        ({"url_or_host": "redis://cache:0"}, "port"),
        ({"url_or_host": "redis://cache:99999"}, "Port out of range"),
        ({"url_or_host": "redis://cache/two"}, "number of a database"),
        ({"url_or_host": "redis://cache?db=two"}, "Invalid value for 'db'"),
        ({"url_or_host": "redis://cache", "port": 1}, "port contradicts it"),
        ({"url_or_host": "redis://cache", "db": 1}, "db contradicts it"),
        ({"url_or_host": "redis://cache", "ssl": True}, "ssl contradicts it"),
        ({"sentinels": [("a", 1)]}, "sentinels and service_name go together"),
        ({"service_name": "primary"}, "sentinels and service_name go together"),
        ({"sentinels": [], "service_name": "primary"}, "sentinels is empty"),
        ({"sentinels": "a:1", "service_name": "primary"}, "pairs of host and port"),
        ({"sentinels": [("a", 0)], "service_name": "primary"}, "port must be 1 or more"),
        ({"sentinels": [("a", 1)], "service_name": "primary", "port": 1}, "port contradicts it"),
        ({"sentinels": [("a", 1)], "service_name": "primary", "cluster": True}, "cluster contradicts sentinels"),
        ({"cluster": True, "db": 1}, "a cluster has no databases but 0"),
        ({"url_or_host": "unix:///r.sock", "cluster": True}, "cluster contradicts"),
        ({"client": object()}, "client must be a client of redis-py, not object"),
        ({"client": redis.Redis(), "port": 1}, "port contradicts it"),
        ({"client": redis.Redis(), "password": "s"}, "password contradicts it"),
        ({"connection_options": {"db": 1}}, "'db' is not one of the connection_options"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        assert address_of(**arguments).nodes == (("localhost", 6379),)
        return
    with pytest.raises(CacheValueError, match=reason):
        address_of(**arguments)


@pytest.mark.parametrize("url", ["redis://ann:s3cret@cache/2", "redis://:s3cret@cache:port", "redis://:s3cret@cache:0"])
def test_no_password_is_ever_shown(url: str) -> None:
    try:
        shown = repr(address_of(url, connection_options={"ssl_password": "s3cret"}))
    except CacheValueError as error:
        shown = repr(error)
    assert "s3cret" not in shown


def test_a_client_says_it_all() -> None:
    client = redis.Redis(host="cache", port=7, db=2, username="ann", password="s", socket_timeout=0.5, protocol=3)
    address = address_of(client=client)
    assert address.nodes == (("cache", 7),)
    assert (address.db, address.username, address.password, address.timeout) == (2, "ann", "s", 0.5)
    assert address.client is client
    assert "protocol" not in address.options


def test_a_client_over_tls() -> None:
    address = address_of(client=redis.Redis(host="cache", ssl=True, ssl_ca_certs="ca.pem"))
    assert address.is_tls
    assert address.options["ssl_ca_certs"] == "ca.pem"


def test_a_client_on_a_socket() -> None:
    assert address_of(client=redis.Redis(unix_socket_path="/r.sock")).path == "/r.sock"


def test_a_client_of_loops() -> None:
    async def made() -> redis.asyncio.Redis:
        return redis.asyncio.Redis(host="cache", ssl=True)

    address = address_of(client=asyncio.run(made()))
    assert (address.nodes, address.is_tls, address.client) == ((("cache", 6379),), True, None)


def test_a_client_behind_sentinels() -> None:
    make: Any = Sentinel
    client = make([("one", 1), ("two", 2)]).master_for("primary", password="s")
    address = address_of(client=client)
    assert (address.nodes, address.service_name) == ((("one", 1), ("two", 2)), "primary")
    assert address.password == "s"


def test_the_address_of_one_server_is_entered_the_same_way() -> None:
    member = address_of("rediss://ann:s@cache", cluster=True).at("other", 7)
    assert (member.nodes, member.is_tls, member.username, member.is_cluster) == ((("other", 7),), True, "ann", False)
    assert member.name == "other:7"
