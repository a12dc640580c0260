"""The links to a cluster: every command where its key lies, also when that changes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.backends.redis.driver.asking import KINDS, Kind, answers, keys_in
from tests.backends.redis.driver.local_servers import free_port, join, running, tell, until, until_told

from cachery import CacheConnectionError, CacheTimeoutError
from cachery.backends.redis.driver.address import Address, address_of
from cachery.backends.redis.driver.cluster import ClusterLink
from cachery.backends.redis.driver.opening import open_blocking, open_loop
from cachery.backends.redis.driver.topology import read_slots, redirection_of, slot_of
from cachery.backends.redis.link import Command, ErrorReply
from cachery.step import step

Work = Callable[[ClusterLink], Coroutine[Any, Any, None]]

KEY = "{moving}:key"
SLOT = slot_of(("GET", KEY))


def at(ports: list[int], **settings: Any) -> Address:
    return address_of("127.0.0.1", ports[0], cluster=True, **settings)


def run(kind: Kind, address: Address, work: Work) -> None:
    async def whole(link: Any) -> None:
        try:
            await work(link)
        finally:
            await link.close()

    if kind == "blocking":
        step(whole(open_blocking(address)))
    else:
        asyncio.run(whole(open_loop(address)))


async def first_success(link: ClusterLink, commands: list[Command]) -> list[Any]:
    while True:
        with contextlib.suppress(CacheConnectionError, CacheTimeoutError):
            return await link.ask(commands)


def id_of(port: int) -> str:
    return tell(port, "CLUSTER", "MYID").split(b"\r\n")[1].decode()


def owner_of(slot: int | None, ports: list[int]) -> int:
    for port in ports:
        (mine,) = [line for line in tell(port, "CLUSTER", "NODES").decode().splitlines() if "myself" in line]
        for part in mine.split()[8:]:
            first, _, last = part.partition("-")
            if first.isdigit() and int(first) <= (slot or 0) <= int(last or first):
                return port
    raise AssertionError(slot)


def give(slot: int | None, ports: list[int], to: int) -> None:
    for port in [to, *ports]:
        tell(port, "CLUSTER", "SETSLOT", str(slot), "NODE", id_of(to))


@pytest.fixture
def ports(cluster_ports: list[int]) -> Iterator[list[int]]:
    before = owner_of(SLOT, cluster_ports)
    yield cluster_ports
    for port in cluster_ports:
        tell(port, "FLUSHALL")
        tell(port, "CLUSTER", "SETSLOT", str(SLOT), "STABLE")
    give(SLOT, cluster_ports, before)


@pytest.mark.parametrize("kind", KINDS)
def test_commands_go_where_their_keys_lie_and_replies_keep_the_order(kind: Kind, ports: list[int]) -> None:
    sets = [("SET", f"key:{number}", number) for number in range(300)]
    gets = [("GET", f"key:{number}") for number in range(300)]
    scripts = [("EVAL", "return KEYS[1]", 1, f"key:{number}") for number in range(100)]
    rest = [("PING",), ("ECHO", "a"), ("SCRIPT", "EXISTS", "0" * 40), ("EVAL", "return 7", 0), ("NONSENSE",)]
    replies = answers(kind, at(ports), sets, [*gets, *scripts], rest)
    assert replies[0] == [b"OK"] * 300
    assert replies[1] == [b"%d" % number for number in range(300)] + [b"key:%d" % number for number in range(100)]
    assert replies[2][:4] == [b"PONG", b"a", [0], 7]
    assert replies[2][4].text.startswith("ERR unknown command")


@pytest.mark.parametrize("kind", KINDS)
def test_any_member_will_do_to_begin_with(kind: Kind, ports: list[int]) -> None:
    client: Any = redis.RedisCluster(host="127.0.0.1", port=ports[2])
    assert answers(kind, address_of(client=client), [("SET", "a", 1), ("SET", "b", 1), ("SET", "c", 1)]) == [
        [b"OK"] * 3
    ]
    client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_scanning_goes_over_every_primary(kind: Kind, ports: list[int]) -> None:
    answers(kind, at(ports), [("SET", f"scan:{number}", number) for number in range(600)])
    assert set(keys_in(kind, at(ports), b"scan:*", 50)) == {b"scan:%d" % number for number in range(600)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_slot_that_has_moved(kind: Kind, ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        assert await link.ask([("SET", "other", 1), ("GET", KEY)]) == [b"OK", None]
        target = next(port for port in ports if port != owner_of(SLOT, ports))
        give(SLOT, ports, target)
        assert await link.ask([("SET", KEY, 1), ("GET", "other"), ("GET", KEY)]) == [b"OK", b"1", b"1"]
        assert link._topology is not None
        assert link._topology.owners[SLOT or 0] == ("127.0.0.1", target)
        assert tell(target, "GET", KEY) == b"$1\r\n1\r\n"

    run(kind, at(ports), work)


@pytest.mark.parametrize("kind", KINDS)
def test_a_slot_on_the_move(kind: Kind, ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        source = owner_of(SLOT, ports)
        target = next(port for port in ports if port != source)
        await link.ask([("SET", "{moving}:stays", "here")])
        tell(target, "CLUSTER", "SETSLOT", str(SLOT), "IMPORTING", id_of(source))
        tell(source, "CLUSTER", "SETSLOT", str(SLOT), "MIGRATING", id_of(target))
        commands = [("GET", "{moving}:stays"), ("SET", KEY, 1), ("INCR", KEY), ("SET", "other", 2)]
        assert await link.ask(commands) == [b"here", b"OK", 2, b"OK"]
        assert link._topology is not None
        assert link._topology.owners[SLOT or 0] == ("127.0.0.1", source)

    run(kind, at(ports), work)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_which_some_have_moved_are_asked_for_until_time_is_up(kind: Kind, ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        source = owner_of(SLOT, ports)
        target = next(port for port in ports if port != source)
        await link.ask([("SET", "{moving}:a", 1)])
        tell(target, "CLUSTER", "SETSLOT", str(SLOT), "IMPORTING", id_of(source))
        tell(source, "CLUSTER", "SETSLOT", str(SLOT), "MIGRATING", id_of(target))
        with pytest.raises(CacheTimeoutError, match="did not settle in time: TRYAGAIN"):
            await link.ask([("MGET", "{moving}:a", "{moving}:b")])
        threading.Thread(target=tell, args=(source, "CLUSTER", "SETSLOT", str(SLOT), "STABLE")).start()
        assert await link.ask([("MGET", "{moving}:a", "{moving}:b")]) == [[b"1", None]]

    run(kind, at(ports, timeout=0.3), work)


@pytest.mark.parametrize("kind", KINDS)
def test_connections_that_were_killed(kind: Kind, ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        gets = [("GET", f"k{number}") for number in range(50)]
        await link.ask(gets)
        for _ in range(3):
            for port in ports:
                tell(port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            with contextlib.suppress(CacheConnectionError):
                await link.ask(gets)
            assert await link.ask(gets) == [None] * 50

    run(kind, at(ports), work)


@pytest.mark.parametrize("kind", KINDS)
def test_posting(kind: Kind, ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        link.post([("SET", "lost", 1)])  # the slots are not known yet
        await link.ask([("PING",)])
        link.post([("SET", f"p{number}", number) for number in range(50)])
        for task in [task for one in link._links.values() for task in getattr(one, "_posts", ())]:
            await task
        assert await link.ask([("GET", f"p{number}") for number in range(50)]) == [b"%d" % n for n in range(50)]

    run(kind, at(ports), work)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_in_no_cluster(kind: Kind, port: int) -> None:
    with pytest.raises(CacheConnectionError, match="no server of a cluster: ERR This instance has cluster support"):
        answers(kind, at([port]), [("PING",)])


@pytest.mark.parametrize("kind", KINDS)
def test_where_nobody_listens(kind: Kind) -> None:
    with pytest.raises(CacheConnectionError, match=r"127\.0\.0\.1"):
        answers(kind, at([free_port()]), [("PING",)])


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_several_slots_in_one_command_are_refused(kind: Kind, ports: list[int]) -> None:
    ((reply,),) = answers(kind, at(ports), [("MGET", "a", "b")])
    assert isinstance(reply, ErrorReply)
    assert reply.text.startswith("CROSSSLOT ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_replica_takes_over(kind: Kind, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-require-full-coverage", "no"]
        options += ["--repl-diskless-sync-delay", "0"]
        first = stack.enter_context(contextlib.ExitStack())
        ports = [first.enter_context(running(tmp_path / "0", *options))]
        ports += [stack.enter_context(running(tmp_path / str(number), *options)) for number in (1, 2)]
        join(ports)
        replica = stack.enter_context(running(tmp_path / "replica", *options))
        for port in ports:
            tell(replica, "CLUSTER", "MEET", "127.0.0.1", str(port))
        until(lambda: tell(replica, "CLUSTER", "REPLICATE", id_of(ports[0])).startswith(b"+OK"))
        until(lambda: b"master_link_status:up" in tell(replica, "INFO", "replication"))
        for port in ports:
            until_told(port, b" slave ", "CLUSTER", "NODES")

        async def work(link: ClusterLink) -> None:
            gets: list[Command] = [("GET", f"k{number}") for number in range(50)]
            assert await link.ask(gets) == [None] * 50
            first.close()
            assert tell(replica, "CLUSTER", "FAILOVER", "TAKEOVER") == b"+OK\r\n"
            assert await first_success(link, gets) == [None] * 50

        run(kind, at(ports, timeout=10), work)


def test_threads_on_a_cluster_whose_slots_move(ports: list[int]) -> None:
    link = open_blocking(at(ports))
    before = owner_of(SLOT, ports)
    other = next(port for port in ports if port != before)

    def work(name: int) -> None:
        for turn in range(150):
            sent = f"{name}:{turn}".encode()
            assert step(link.ask([("SET", f"{{moving}}{name}", sent), ("ECHO", sent)])) == [b"OK", sent]

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(work, name) for name in range(4)]
        for target in (other, before) * 5:
            for port in ports:
                tell(port, "FLUSHALL")
            with contextlib.suppress(AssertionError):
                give(SLOT, ports, target)
        for one in works:
            one.result()
    step(link.close())


def test_many_tasks_of_which_some_are_cancelled(ports: list[int]) -> None:
    async def work(link: ClusterLink) -> None:
        async def one(number: int) -> None:
            commands = [("SET", f"c{number}", number), ("GET", f"c{number}"), ("ECHO", number)]
            assert await link.ask(commands) == [b"OK", b"%d" % number, b"%d" % number]

        for _ in range(5):
            tasks = [asyncio.create_task(one(number)) for number in range(300)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert results[1::2] == [None] * 150

    run("loop", at(ports), work)


def test_a_slot_that_has_moved_since() -> None:
    slots = [[0, 8191, [b"a", 1, b"id", []], [b"b", 1, b"id", []]], [8192, 16383, [b"", 2, b"id", []]]]
    before = read_slots(slots, ("asked", 9))
    assert before.primaries == (("a", 1), ("asked", 2))
    after = before.with_owner(8000, ("c", 3))
    assert [after.owners[slot] for slot in (7999, 8000, 8001)] == [("a", 1), ("c", 3), ("a", 1)]
    assert after.primaries == (("a", 1), ("asked", 2), ("c", 3))
    assert after.members == {("a", 1), ("b", 1), ("asked", 2), ("c", 3)}


def test_where_a_redirection_leads() -> None:
    assert redirection_of("MOVED 7 10.0.0.1:6380", ("asked", 1)) == (7, ("10.0.0.1", 6380), False)
    assert redirection_of("ASK 7 :6380", ("asked", 1)) == (7, ("asked", 6380), True)
    assert redirection_of("MOVED 7 ::1:6380", ("asked", 1), lambda _: ("mapped", 2)).place == ("mapped", 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_gone_is_asked_for_once_and_the_others_serve(kind: Kind, tmp_path: Path) -> None:
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "60000", "--cluster-require-full-coverage", "no"]
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(running(tmp_path / str(number), *options)) for number in range(2)]
        gone = stack.enter_context(contextlib.ExitStack())
        ports.append(gone.enter_context(running(tmp_path / "2", *options)))
        join(ports)

        async def work(link: ClusterLink) -> None:
            by_owner: dict[int, Command] = {}
            for number in range(100):
                by_owner[owner_of(slot_of(("GET", f"k{number}")), ports[:3])] = ("GET", f"k{number}")
            lost = by_owner.pop(ports[2])
            assert await link.ask([lost, *by_owner.values()]) == [None] * 3
            gone.close()
            for _ in range(2):
                with pytest.raises(CacheConnectionError, match=f"127.0.0.1:{ports[2]}"):
                    await link.ask([lost])
            assert await link.ask(list(by_owner.values())) == [None] * 2

        run(kind, at(ports), work)
