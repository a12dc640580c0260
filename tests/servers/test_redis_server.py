"""The ground for tests against Redis: real servers answer, and do what tests ask of them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.servers.redis_servers import (
    RedisCluster,
    RedisSentinels,
    RedisServer,
    RefusedError,
    ask,
    facts,
    flush,
    redis_sentinels,
    wait_until,
)


def test_a_real_server_answers(redis_port: int) -> None:
    with socket.create_connection(("127.0.0.1", redis_port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(64) == b"+PONG\r\n"


def test_answers_of_all_kinds(redis_port: int, redis_prefix: str) -> None:
    assert ask(redis_port, "SET", redis_prefix, "é") == "OK"
    assert ask(redis_port, "GET", redis_prefix) == "é"
    assert ask(redis_port, "GET", redis_prefix + "absent") is None
    assert ask(redis_port, "DEL", redis_prefix, redis_prefix) == 1
    assert ask(redis_port, "LRANGE", redis_prefix, 0, -1) == []
    with pytest.raises(RefusedError, match="unknown command"):
        ask(redis_port, "NO-SUCH-COMMAND")


def test_a_server_of_ones_own_begins_empty_again(own_redis: RedisServer) -> None:
    own_redis.ask("SET", "a", 1)
    port = own_redis.port
    own_redis.restart()
    assert (own_redis.port, own_redis.ask("DBSIZE")) == (port, 0)
    own_redis.stop()
    assert not own_redis.is_running
    assert not own_redis.answers()


def test_a_server_stands_still_and_goes_on(own_redis: RedisServer) -> None:
    own_redis.pause()
    with pytest.raises(TimeoutError):
        ask(own_redis.port, "PING", timeout=0.05)
    own_redis.resume()
    assert own_redis.answers()


def test_a_server_that_stands_still_can_be_stopped(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        server.pause()
    assert not server.is_running


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="did not start"):
        RedisServer(tmp_path, options=["no-such-option 1"]).start()


def test_keys_are_flushed(own_redis: RedisServer) -> None:
    own_redis.ask("SET", "a", 1)
    flush(own_redis.port)
    assert own_redis.ask("DBSIZE") == 0


def test_a_cluster_has_all_slots(redis_cluster_ports: tuple[int, ...], shared_redis_cluster: RedisCluster) -> None:
    assert shared_redis_cluster.ports == redis_cluster_ports
    assert len(set(redis_cluster_ports)) == 3
    for port in redis_cluster_ports:
        assert "cluster_slots_ok:16384" in ask(port, "CLUSTER", "INFO")


def test_sentinels_know_the_primary(shared_redis_sentinels: RedisSentinels) -> None:
    assert len(shared_redis_sentinels.ports) == 3
    assert facts(shared_redis_sentinels.primary_port, "replication")["role"] == "master"


def test_sentinels_make_the_replica_primary(tmp_path: Path) -> None:
    with redis_sentinels(tmp_path) as trio:
        trio.primary.kill()
        wait_until(lambda: trio.primary_port == trio.replica.port)
        wait_until(lambda: facts(trio.replica.port, "replication")["role"] == "master")
