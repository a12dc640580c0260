"""The link for blocking code: its pool, threads, interrupts, forks."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from tests.backends.redis.driver.local_servers import Shared, tell, until

from cachery import CacheConnectionError, CacheTimeoutError
from cachery.backends.redis.driver.address import address_of
from cachery.backends.redis.driver.blocking import BlockingLink
from cachery.backends.redis.driver.wire import Wire
from cachery.backends.redis.link import Command
from cachery.step import step

Open = Callable[..., BlockingLink]


@pytest.fixture
def open_link() -> Iterator[Open]:
    links: list[BlockingLink] = []

    def make(port: int, **settings: Any) -> BlockingLink:
        links.append(BlockingLink(address_of("127.0.0.1", port, **settings)))
        return links[-1]

    yield make
    for link in links:
        step(link.close())


def ask(link: BlockingLink, *commands: Command) -> list[Any]:
    return step(link.ask(commands))


def connections_to(port: int) -> int:
    """Return how many clients the server has, this question's own left out."""
    return tell(port, "CLIENT", "LIST").count(b"addr=") // 2 - 1


def test_one_connection_serves_one_thread(open_link: Open, own_port: int) -> None:
    link = open_link(own_port)
    ids = {ask(link, ("CLIENT", "ID"))[0] for _ in range(20)}
    assert len(ids) == 1
    assert connections_to(own_port) == 1


def test_threads_never_read_anothers_replies(open_link: Open, port: int) -> None:
    link = open_link(port, max_connections=4)

    def work(name: int) -> None:
        for turn in range(200):
            sent = f"{name}:{turn}"
            assert ask(link, ("SET", f"k{name}", sent), ("GET", f"k{name}"), ("ECHO", sent))[1:] == [sent.encode()] * 2

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(12)))


def test_no_more_connections_than_allowed_and_no_longer_wait(open_link: Open, own_port: int) -> None:
    link = open_link(own_port, max_connections=1, timeout=0.2)
    held = link._pool.take()
    with pytest.raises(CacheTimeoutError, match="all 1 connections were busy"):
        ask(link, ("PING",))
    link._pool.give(held)
    assert ask(link, ("PING",)) == [b"PONG"]
    assert connections_to(own_port) == 1


def test_who_waits_gets_the_connection_that_is_given_back(open_link: Open, port: int) -> None:
    link = open_link(port, max_connections=1, timeout=30)
    held = link._pool.take()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, link, ("PING",))
        until(lambda: link._pool._waiting)
        link._pool.give(held)
        assert waiting.result(timeout=30) == [b"PONG"]


def test_who_waits_opens_one_when_one_is_dropped(open_link: Open, port: int) -> None:
    link = open_link(port, max_connections=1, timeout=30)
    held = link._pool.take()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, link, ("PING",))
        until(lambda: link._pool._waiting)
        link._pool.drop(held)
        assert waiting.result(timeout=30) == [b"PONG"]


def test_a_connection_closed_while_idle_is_replaced_unnoticed(open_link: Open, own_port: int) -> None:
    link = open_link(own_port)
    (first,) = ask(link, ("CLIENT", "ID"))
    tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    (second,) = ask(link, ("CLIENT", "ID"))
    assert second != first
    assert connections_to(own_port) == 1


def test_a_connection_lost_under_way_is_an_error_and_not_tried_twice(open_link: Open, own_port: int) -> None:
    link = open_link(own_port, timeout=30)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, link, ("INCR", "n"), ("BLPOP", "never", 30))
        until(lambda: b"blocked_clients:1" in tell(own_port, "INFO", "clients"))
        tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(CacheConnectionError, match=f"127.0.0.1:{own_port}") as caught:
            waiting.result(timeout=30)
    assert caught.value.context["was_sent"] is True
    assert ask(link, ("GET", "n")) == [b"1"]


def test_after_a_timeout_no_late_reply_reaches_anybody(open_link: Open, own_port: int) -> None:
    link = open_link(own_port, timeout=0.05, connect_timeout=5)
    ask(link, ("SET", "a", "late"))
    with pytest.raises(CacheTimeoutError):
        ask(link, ("DEBUG", "SLEEP", 0.2), ("GET", "a"))
    patient = open_link(own_port, timeout=10)
    assert ask(patient, ("ECHO", "new")) == [b"new"]
    assert ask(link, ("ECHO", "new")) == [b"new"]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupt_in_the_middle_leaves_no_reply_behind(
    open_link: Open, port: int, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]
) -> None:
    link = open_link(port, max_connections=1)
    ask(link, ("PING",))
    read = Wire._read

    def interrupted(wire: Wire, deadline: float) -> None:
        read(wire, deadline)
        raise interrupt

    monkeypatch.setattr(Wire, "_read", interrupted)
    with pytest.raises(interrupt):
        ask(link, ("ECHO", "old"))
    monkeypatch.undo()
    assert ask(link, ("ECHO", "new")) == [b"new"]


def test_a_connection_that_an_interrupt_lost_is_not_counted_for_ever(open_link: Open, port: int) -> None:
    link = open_link(port, max_connections=1, timeout=5)
    lost = link._pool.take()
    del lost
    gc.collect()
    assert ask(link, ("PING",)) == [b"PONG"]


def test_posting_waits_for_no_reply(open_link: Open, port: int) -> None:
    link = open_link(port)
    for number in range(500):
        link.post([("SET", "posted", number), ("NONSENSE",)])
    assert ask(link, ("GET", "posted")) == [b"499"]
    link.post([("SET", "posted", "again")])
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda number: ask(link, ("ECHO", number)), range(50)))
    assert replies == [[str(number).encode()] for number in range(50)]
    assert ask(link, ("GET", "posted")) == [b"again"]


def test_a_server_that_answers_bit_by_bit_is_given_up(open_link: Open) -> None:
    is_over = threading.Event()

    def serve(listener: socket.socket) -> None:
        caller, _ = listener.accept()
        with caller:
            caller.recv(1000)
            caller.sendall(b"$100000000\r\n")
            with contextlib.suppress(OSError):
                while not is_over.wait(0.01):
                    caller.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(serve, listener)
        link = open_link(listener.getsockname()[1], timeout=0.1, connection_options={"driver_info": None})
        with pytest.raises(CacheTimeoutError):
            ask(link, ("GET", "a"))
        is_over.set()


def test_what_was_posted_over_a_connection_that_is_closed_meanwhile(open_link: Open, own_port: int) -> None:
    link = open_link(own_port)
    (me,) = ask(link, ("CLIENT", "ID"))
    link.post([("CLIENT", "KILL", "ID", me, "SKIPME", "no"), ("SET", "a", 1)])
    until(lambda: tell(own_port, "CLIENT", "LIST").count(b" addr=") <= 1)
    assert ask(link, ("PING",)) == [b"PONG"]


def test_posting_never_fails(open_link: Open, own_port: int) -> None:
    link = open_link(own_port, max_connections=1)
    held = link._pool.take()
    link.post([("SET", "a", 1)])  # no connection is free
    link._pool.give(held)
    tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    link.post([("SET", "a", 2)])
    assert ask(link, ("GET", "a")) == [b"2"]
    link.post([])
    tell(own_port, "CONFIG", "SET", "requirepass", "later")
    link._pool.renew()
    open_link(1).post([("SET", "a", 3)])  # nobody listens there


def test_a_server_that_cannot_serve_is_a_failure(open_link: Open, own_port: int) -> None:
    link = open_link(own_port)
    ask(link, ("PING",))
    tell(own_port, "REPLICAOF", "127.0.0.1", "1")
    tell(own_port, "CONFIG", "SET", "replica-serve-stale-data", "no")
    with pytest.raises(CacheConnectionError, match="MASTERDOWN"):
        ask(link, ("GET", "a"))


def test_a_closed_link_stays_closed(open_link: Open, own_port: int) -> None:
    link = open_link(own_port)
    ask(link, ("PING",))
    held = link._pool.take()
    step(link.close())
    step(link.close())
    link._pool.give(held)
    assert connections_to(own_port) == 0
    with pytest.raises(CacheConnectionError, match="closed"):
        ask(link, ("PING",))
    link.post([("PING",)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("is_over_tls", [False, True])
def test_a_forked_child_opens_its_own_and_leaves_its_parents_alone(shared: Shared, *, is_over_tls: bool) -> None:
    options = {"ssl_ca_certs": shared.authority} if is_over_tls else {}
    port = shared.tls_port if is_over_tls else shared.port
    link = BlockingLink(address_of("localhost", port, ssl=is_over_tls, connection_options=options))
    (mine,) = ask(link, ("CLIENT", "ID"))
    held = link._pool.take()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        code = 1
        try:
            (own,) = ask(link, ("CLIENT", "ID"))
            link._pool.give(held)
            code = 0 if own != mine and ask(link, ("CLIENT", "ID")) == [own] else 2
            step(link.close())
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    link._pool.give(held)
    assert ask(link, ("CLIENT", "ID")) == [mine]
    step(link.close())


def test_a_pool_of_the_user_gets_its_connections_back(port: int) -> None:
    with redis.Redis(host="127.0.0.1", port=port, max_connections=1) as client:
        link = BlockingLink(address_of(client=client))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(ask, link, ("PING",)).result() == [b"PONG"]
        link.post([("SET", "posted", 1)])
        assert client.get("posted") == b"1"
        tell(port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert ask(link, ("PING",)) == [b"PONG"]
        step(link.close())
        assert client.ping()


def test_a_pool_of_the_user_that_times_out(own_port: int) -> None:
    with redis.Redis(host="127.0.0.1", port=own_port, max_connections=1, socket_timeout=0.05) as client:
        link = BlockingLink(address_of(client=client))
        with pytest.raises(CacheTimeoutError):
            ask(link, ("DEBUG", "SLEEP", 0.2))
        assert ask(BlockingLink(address_of("127.0.0.1", own_port)), ("PING",)) == [b"PONG"]
        assert ask(link, ("ECHO", "new")) == [b"new"]


def test_many_threads_while_connections_are_killed(open_link: Open, own_port: int) -> None:
    link, is_over, wrong = open_link(own_port, max_connections=8), threading.Event(), list[object]()

    def work(name: int) -> None:
        turn = 0
        while not is_over.is_set():
            turn += 1
            try:
                reply = ask(link, ("ECHO", f"{name}:{turn}"))
            except CacheConnectionError:
                continue
            if reply != [f"{name}:{turn}".encode()]:
                wrong.append(reply)

    with ThreadPoolExecutor(6) as pool:
        works = [pool.submit(work, name) for name in range(6)]
        for _ in range(30):
            tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        is_over.set()
        for one in works:
            one.result()
    assert not wrong
    assert ask(link, ("PING",)) == [b"PONG"]
