"""The primary that Sentinels name, and another one after it. Both kinds of links."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.sentinel import Sentinel
from tests.backends.redis.driver.asking import KINDS, Kind, answers
from tests.backends.redis.driver.local_servers import free_port, running, tell

from cachery import CacheConnectionError
from cachery.backends.redis.driver.address import Address, address_of
from cachery.backends.redis.driver.blocking import BlockingLink
from cachery.backends.redis.driver.loop import LoopLink
from cachery.backends.redis.link import ErrorReply
from cachery.step import step


@dataclass(frozen=True)
class Watched:
    """Two servers, of which a Sentinel names the first."""

    sentinel: int
    first: int
    second: int

    @property
    def address(self) -> Address:
        dead = ("127.0.0.1", free_port())
        return address_of(sentinels=[dead, ("127.0.0.1", self.sentinel)], service_name="main")

    def change(self) -> None:
        """Make the first a replica of the second, and have the Sentinel name that one."""
        tell(self.first, "REPLICAOF", "127.0.0.1", str(self.second))
        self.name(self.second)

    def name(self, port: int) -> None:
        tell(self.sentinel, "SENTINEL", "REMOVE", "main")
        assert tell(self.sentinel, "SENTINEL", "MONITOR", "main", "127.0.0.1", str(port), "1").startswith(b"+OK")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(running(tmp_path / "first"))
        second = stack.enter_context(running(tmp_path / "second"))
        config = tmp_path / "sentinel.conf"
        config.write_text(f"dir {tmp_path}\n")
        port = stack.enter_context(running(tmp_path / "sentinel", config=str(config)))
        found = Watched(port, first, second)
        found.name(first)
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_the_primary_is_found(kind: Kind, watched: Watched) -> None:
    assert answers(kind, watched.address, [("SET", "a", 1)]) == [[b"OK"]]
    assert tell(watched.first, "GET", "a") == b"$1\r\n1\r\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_that_nobody_knows(kind: Kind, watched: Watched) -> None:
    address = address_of(sentinels=[("127.0.0.1", watched.sentinel)], service_name="unknown")
    with pytest.raises(CacheConnectionError, match="unknown"):
        answers(kind, address, [("PING",)])


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentinel_is_there(kind: Kind) -> None:
    address = address_of(sentinels=[("127.0.0.1", free_port())], service_name="main")
    with pytest.raises(CacheConnectionError, match="main"):
        answers(kind, address, [("PING",)])


def check(replies: list[Any], watched: Watched, ask_again: Any) -> None:
    (refusal,) = replies
    assert isinstance(refusal, ErrorReply)
    assert refusal.text.startswith("READONLY ")
    assert ask_again() == [b"OK"]
    assert tell(watched.second, "GET", "a") == b"$1\r\n2\r\n"


def test_after_a_refused_write_the_primary_is_looked_for_anew(watched: Watched) -> None:
    link = BlockingLink(watched.address)
    step(link.ask([("SET", "a", 1)]))
    held = link._pool.take()
    link._pool.give(held)
    watched.change()
    check(step(link.ask([("SET", "a", 2)])), watched, lambda: step(link.ask([("SET", "a", 2)])))
    step(link.close())


def test_after_a_refused_write_the_primary_is_looked_for_anew_in_a_loop(watched: Watched) -> None:
    async def work() -> None:
        link = LoopLink(watched.address)
        await link.ask([("SET", "a", 1)])
        watched.change()
        outcomes = await asyncio.gather(link.ask([("SET", "a", 2)]), link.ask([("GET", "a")]))
        again = await link.ask([("SET", "a", 2)])
        check(outcomes[0], watched, lambda: again)
        await link.close()

    asyncio.run(work())


def test_a_client_of_the_user_behind_sentinels(watched: Watched) -> None:
    make: Any = Sentinel
    sentinel = make([("127.0.0.1", watched.sentinel)])
    with sentinel, sentinel.master_for("main") as client:
        link = BlockingLink(address_of(client=client))
        step(link.ask([("SET", "a", 1)]))
        watched.change()
        with pytest.raises(CacheConnectionError, match="The previous master is now a slave"):
            step(link.ask([("SET", "a", 2)]))
        assert step(link.ask([("SET", "a", 2)])) == [b"OK"]
        assert tell(watched.second, "GET", "a") == b"$1\r\n2\r\n"


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_lost_connection_the_primary_is_looked_for_anew(kind: Kind, watched: Watched) -> None:
    async def work(link: BlockingLink | LoopLink) -> None:
        await link.ask([("SET", "a", 1)])
        watched.name(watched.second)
        tell(watched.first, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with contextlib.suppress(CacheConnectionError):
            await link.ask([("PING",)])
        assert await link.ask([("SET", "a", 3)]) == [b"OK"]
        await link.close()

    if kind == "blocking":
        step(work(BlockingLink(watched.address)))
    else:
        asyncio.run(work(LoopLink(watched.address)))
    assert tell(watched.second, "GET", "a") == b"$1\r\n3\r\n"
