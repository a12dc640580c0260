"""One load among all processes: who loads, who takes over, and what becomes of the value of a holder that was away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from secrets import token_hex
from time import monotonic
from typing import Any

import pytest
from tests.distributed.history import Value
from tests.distributed.node import NodeProcess
from tests.servers.redis_servers import RedisServer, wait_until

pytest.importorskip("redis")

LEASE_LIFE = 0.5
BLIND = 0.3
AGAIN_AT_MOST = 1.0 + LEASE_LIFE
KINDS = {"a": "blocking", "b": "awaiting", "c": "blocking"}

Trio = list[NodeProcess]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("source")) as server:
        yield server


@pytest.fixture(scope="module")
def processes(source: RedisServer) -> Iterator[Trio]:
    """Return three processes for all tests: who is killed by a test is one of its own."""
    with ExitStack() as running:
        yield [running.enter_context(NodeProcess(name, kind, source.port)) for name, kind in KINDS.items()]


@pytest.fixture
def options() -> dict[str, Any]:
    return {"prefix": f"l-{token_hex(4)}", "lease_life": LEASE_LIFE, "timeout": 0.4, "connect_timeout": 0.3}


@pytest.fixture
def trio(processes: Trio, own_redis: RedisServer, options: dict[str, Any]) -> Iterator[Trio]:
    with ExitStack() as opened:
        for node in processes:
            open_cache(opened, node, own_redis, options)
        yield processes


def open_cache(opened: ExitStack, node: NodeProcess, server: RedisServer, options: dict[str, Any]) -> None:
    node.ask("open", {"port": server.port, **options}, "tracking", BLIND)
    opened.callback(lambda: node.ask("close"))


def got(node: NodeProcess, count: int = 1, timeout: float = 10.0) -> list[Value]:
    """Return what ``count`` callers of ``node`` got, as soon as they have."""
    wait_until(lambda: len(node.ask("brought", "key")) == count, timeout=timeout, what=f"{count} values")
    return [Value.of(text) for text in node.ask("brought", "key")]


def is_loading(node: NodeProcess, count: int = 1) -> None:
    wait_until(lambda: node.ask("loads") == count, what="a load")


def test_of_all_callers_in_all_processes_one_loads(trio: Trio) -> None:
    for answer in [node.tell("begin_load", "key", 20, is_held=True) for node in trio]:
        answer()
    wait_until(lambda: sum(node.ask("loads") for node in trio) >= 1, what="a load")
    for node in trio:
        node.ask("release")
    values = {value for node in trio for value in got(node, 20)}
    assert len(values) == 1
    assert sum(node.ask("loads") for node in trio) == 1


@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
def test_who_takes_over_from_a_holder_that_was_killed_waits_for_its_lease_at_most(
    kind: str, trio: Trio, source: RedisServer, own_redis: RedisServer, options: dict[str, Any]
) -> None:
    with NodeProcess("killed", kind, source.port) as holder:
        holder.ask("open", {"port": own_redis.port, **options}, "tracking", BLIND)
        holder.ask("begin_load", "key", 1, is_held=True)
        is_loading(holder)
        trio[0].ask("begin_load", "key", 1, is_held=False)
        trio[1].ask("begin_load", "key", 1, is_held=False)
        began = monotonic()
    values = {*got(trio[0]), *got(trio[1])}
    assert monotonic() - began < AGAIN_AT_MOST
    assert len(values) == 1
    assert sum(node.ask("loads") for node in trio) == 1


@pytest.mark.parametrize("slow", [0, 1], ids=["blocking", "awaiting"])
def test_what_a_stopped_holder_brings_later_undoes_no_invalidation(slow: int, trio: Trio) -> None:
    holder, others = trio[slow], [node for node in trio if node is not trio[slow]]
    holder.ask("begin_load", "key", 1, is_held=True)
    is_loading(holder)
    holder.stand_still()
    try:
        others[0].ask("begin_load", "key", 1, is_held=False)
        (before,) = got(others[0])
        others[0].ask("call", "delete", "key")
        others[1].ask("begin_load", "key", 1, is_held=False)
        (after,) = got(others[1])
    finally:
        holder.go_on()
    holder.ask("release")
    (late,) = got(holder)
    assert len({before, after, late}) == 3
    wait_until(lambda: holder.ask("is_calm"))
    assert [node.ask("call", "get", "key") for node in trio] == [after.text] * 3


def test_a_stopped_holder_with_an_invalidation_meanwhile_stores_nothing(trio: Trio) -> None:
    holder, *others = trio
    holder.ask("begin_load", "key", 1, is_held=True)
    is_loading(holder)
    holder.stand_still()
    try:
        others[0].ask("call", "invalidate_tags", "unrelated")
        others[1].ask("call", "clear")
    finally:
        holder.go_on()
    holder.ask("release")
    got(holder)
    wait_until(lambda: holder.ask("is_calm") or holder.ask("call", "get", "other"))
    assert [node.ask("call", "get", "key") for node in trio] == [None] * 3


@pytest.mark.parametrize("slow", [0, 1], ids=["blocking", "awaiting"])
def test_a_load_goes_on_over_a_restart_and_is_not_stored(slow: int, trio: Trio, own_redis: RedisServer) -> None:
    holder = trio[slow]
    holder.ask("begin_load", "key", 1, is_held=True)
    is_loading(holder)
    own_redis.restart()
    holder.ask("release")
    (value,) = got(holder)
    assert value.node == holder.name
    wait_until(lambda: holder.ask("call", "get", "other") is None and not holder.ask("is_dirty"))
    assert [node.ask("call", "get", "key") for node in trio] == [None] * 3
    trio[2].ask("begin_load", "key", 1, is_held=False)
    (again,) = got(trio[2])
    assert {node.ask("call", "get", "key") for node in trio} == {again.text}


def test_a_holder_that_hangs_is_waited_for_no_longer_than_was_said(
    processes: Trio, own_redis: RedisServer, options: dict[str, Any]
) -> None:
    with ExitStack() as opened:
        for node in processes:
            open_cache(opened, node, own_redis, {**options, "lease_timeout": 0.3})
        holder, *others = processes
        holder.ask("begin_load", "key", 1, is_held=True)
        is_loading(holder)
        began = monotonic()
        for node in others:
            node.ask("begin_load", "key", 1, is_held=False)
        values = [got(node)[0] for node in others]
        assert 0.3 <= monotonic() - began < 3
        assert all(value.node != holder.name for value in values)
        holder.ask("release")
        got(holder)
