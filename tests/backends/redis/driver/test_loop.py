"""The link for event loops: what one turn asks travels together, and nobody gets another's reply."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import threading
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.backends.redis.driver.local_servers import Shared, free_port, running, tell, until

from cachery import CacheConnectionError, CacheTimeoutError
from cachery.backends.redis.driver.address import Address, address_of
from cachery.backends.redis.driver.channel import Channel
from cachery.backends.redis.driver.loop import LoopLink


def run(address: Address, work: Callable[[LoopLink], Awaitable[None]]) -> None:
    """Run ``work`` with a link to ``address`` in a loop of its own."""

    async def main() -> None:
        link = LoopLink(address)
        try:
            await work(link)
        finally:
            await link.close()

    asyncio.run(main())


def at(port: int, **settings: Any) -> Address:
    return address_of("127.0.0.1", port, **settings)


def test_what_one_turn_asks_is_one_write(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    flush = Channel._flush

    def counted(channel: Channel) -> None:
        flushed.append(len(channel._outgoing))
        flush(channel)

    monkeypatch.setattr(Channel, "_flush", counted)

    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        flushed.clear()
        replies = await asyncio.gather(*[link.ask([("ECHO", number), ("PING",)]) for number in range(500)])
        assert replies == [[str(number).encode(), b"PONG"] for number in range(500)]
        assert flushed == [500]

    run(at(port), work)


def test_all_who_ask_first_share_one_connection(own_port: int) -> None:
    async def work(link: LoopLink) -> None:
        ids = await asyncio.gather(*[link.ask([("CLIENT", "ID")]) for _ in range(100)])
        assert len({reply[0] for reply in ids}) == 1

    run(at(own_port), work)


def test_a_cancelled_caller_takes_no_reply_from_another(port: int) -> None:
    chance = random.Random(7)

    async def work(link: LoopLink) -> None:
        async def one(number: int) -> None:
            assert await link.ask([("ECHO", number), ("ECHO", -number)]) == [b"%d" % number, b"%d" % -number]

        for _ in range(20):
            tasks = [asyncio.create_task(one(number)) for number in range(200)]
            cancelled = set(chance.sample(range(200), 100))
            for number in cancelled:
                asyncio.get_running_loop().call_later(chance.random() * 0.003, tasks[number].cancel)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(result is None for number, result in enumerate(results) if number not in cancelled)
            assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        assert not link._channels[asyncio.get_running_loop()]._questions

    run(at(port), work)


def test_the_first_who_is_cancelled_does_not_take_the_connection_from_the_others(port: int) -> None:
    async def work(link: LoopLink) -> None:
        tasks = [asyncio.create_task(link.ask([("PING",)])) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [[b"PONG"], [b"PONG"]]

    run(at(port), work)


def test_it_connects_again_after_the_connection_was_lost(own_port: int) -> None:
    async def work(link: LoopLink) -> None:
        (first,) = await link.ask([("CLIENT", "ID")])
        channel = link._channels[asyncio.get_running_loop()]
        tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.wait([channel._closed])
        (second,) = await link.ask([("CLIENT", "ID")])
        assert second != first

    run(at(own_port), work)


def test_who_gets_a_connection_that_is_lost_already_hears_it(port: int) -> None:
    """It is lost after it was opened, and before those who waited for it go on."""

    async def work(link: LoopLink) -> None:
        channel = await link._opened()
        channel._transport.abort()
        await asyncio.wait([channel._closed])
        for _ in range(2):
            with pytest.raises(CacheConnectionError):
                await asyncio.wait_for(channel.ask([("PING",)]), 5)
        assert await link.ask([("PING",)]) == [b"PONG"]

    run(at(port), work)


def test_all_who_wait_hear_that_the_connection_was_lost(own_port: int) -> None:
    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        asks = [asyncio.create_task(link.ask([("BLPOP", "never", 30)])) for _ in range(50)]
        while b"blocked_clients:1" not in await asyncio.to_thread(tell, own_port, "INFO", "clients"):
            pass
        await asyncio.to_thread(tell, own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        for outcome in await asyncio.gather(*asks, return_exceptions=True):
            assert isinstance(outcome, CacheConnectionError)
            assert f"127.0.0.1:{own_port}" in str(outcome)
            assert outcome.__cause__ is not None
            assert outcome.context["was_sent"] is True
        assert await link.ask([("PING",)]) == [b"PONG"]

    run(at(own_port, timeout=30), work)


def test_a_server_that_went_away_and_came_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def work(link: LoopLink) -> None:
        with running(tmp_path_factory.mktemp("first"), port=port):
            assert await link.ask([("PING",)]) == [b"PONG"]
        with pytest.raises(CacheConnectionError):
            await link.ask([("PING",)])
        outcomes = await asyncio.gather(*[link.ask([("PING",)]) for _ in range(20)], return_exceptions=True)
        assert all(isinstance(outcome, CacheConnectionError) for outcome in outcomes)
        assert len({id(outcome) for outcome in outcomes}) == 20
        with running(tmp_path_factory.mktemp("second"), port=port):
            assert await link.ask([("PING",)]) == [b"PONG"]

    port = free_port()
    run(at(port), work)


def test_when_time_is_up_all_who_wait_hear_it_and_late_replies_reach_nobody(own_port: int) -> None:
    async def work(link: LoopLink) -> None:
        await link.ask([("SET", "a", "old")])
        tell(own_port, "CLIENT", "PAUSE", "30000", "WRITE")
        outcomes = await asyncio.gather(*[link.ask([("SET", "a", 1)]) for _ in range(10)], return_exceptions=True)
        assert all(isinstance(outcome, CacheTimeoutError) for outcome in outcomes)
        await asyncio.to_thread(tell, own_port, "CLIENT", "UNPAUSE")
        replies = await asyncio.gather(*[link.ask([("ECHO", number)]) for number in range(10)])
        assert replies == [[b"%d" % number] for number in range(10)]

    run(at(own_port, timeout=0.1, connect_timeout=5, connection_options={"driver_info": None}), work)


def test_one_timer_serves_all(port: int) -> None:
    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        loop = asyncio.get_running_loop()
        await asyncio.gather(*[link.ask([("PING",)]) for _ in range(1000)])
        assert len([timer for timer in loop._scheduled if not timer.cancelled()]) <= 1  # type: ignore[attr-defined]

    run(at(port), work)


def test_more_than_the_server_takes_at_once(port: int) -> None:
    value = b"x" * 300_000

    async def work(link: LoopLink) -> None:
        async def one(number: int) -> None:
            assert await link.ask([("SET", f"k{number}", value), ("GET", f"k{number}")]) == [b"OK", value]

        await asyncio.gather(*[one(number) for number in range(60)])
        await asyncio.gather(*[one(number) for number in range(60)])

    run(at(port, timeout=30), work)


def test_who_waits_for_room_hears_that_the_connection_was_lost(own_port: int) -> None:
    value = b"x" * 3_000_000

    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        channel = link._channels[asyncio.get_running_loop()]
        tell(own_port, "CLIENT", "PAUSE", "30000", "WRITE")
        first = [asyncio.create_task(link.ask([("SET", "k", value)])) for _ in range(10)]
        await asyncio.sleep(0)  # they ask
        await asyncio.sleep(0)  # what they ask is written
        assert channel.is_full
        late = asyncio.create_task(link.ask([("ECHO", "late")]))
        await asyncio.sleep(0)
        tell(own_port, "CLIENT", "UNPAUSE")
        tell(own_port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        outcomes = await asyncio.gather(*first, return_exceptions=True)
        assert all(isinstance(one, CacheConnectionError) or one == [b"OK"] for one in outcomes)
        assert await late == [b"late"]

    run(at(own_port, timeout=30), work)


def test_posting(port: int) -> None:
    async def work(link: LoopLink) -> None:
        link.post([("SET", "posted", "early"), ("NONSENSE",)])
        await asyncio.gather(*link._posts)
        assert await link.ask([("GET", "posted")]) == [b"early"]
        for number in range(200):
            link.post([("SET", "posted", number), ("GET", "posted")])
        assert await link.ask([("GET", "posted")]) == [b"199"]
        link.post([("SET", "posted", "last")])

    run(at(port), work)
    assert tell(port, "GET", "posted") == b"$4\r\nlast\r\n"


def test_posting_never_fails() -> None:
    async def work(link: LoopLink) -> None:
        link.post([("PING",)])
        link.post([])
        await asyncio.gather(*link._posts)

    run(at(free_port()), work)
    LoopLink(at(free_port())).post([("PING",)])  # no loop runs here


def test_each_loop_has_a_connection_of_its_own(own_port: int) -> None:
    link, ids = LoopLink(at(own_port)), set[int]()

    async def work() -> None:
        for _ in range(100):
            (reply,) = (await asyncio.gather(*[link.ask([("CLIENT", "ID")]) for _ in range(3)]))[0]
            ids.add(reply)
        barrier.wait(30)

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    asyncio.run(link.close())
    gc.collect()


def test_loops_one_after_another_leave_nothing_behind(own_port: int) -> None:
    link = LoopLink(at(own_port))

    async def work() -> None:
        assert await link.ask([("PING",)]) == [b"PONG"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            asyncio.run(work())
            gc.collect()
        assert len(link._channels) == 1
        asyncio.run(link.close())
        assert not link._channels
    until(lambda: tell(own_port, "CLIENT", "LIST").count(b" addr=") <= 1)


@pytest.mark.parametrize("is_over_tls", [False, True])
def test_a_link_that_was_forgotten_complains_of_nothing(shared: Shared, *, is_over_tls: bool) -> None:
    options = {"ssl_ca_certs": shared.authority} if is_over_tls else {}
    port = shared.tls_port if is_over_tls else shared.port
    address = address_of("localhost", port, ssl=is_over_tls, connection_options=options)

    async def work() -> None:
        assert await link.ask([("PING",)]) == [b"PONG"]

    link = LoopLink(address)
    asyncio.run(work())
    del link
    gc.collect()
    link = LoopLink(address)
    asyncio.run(work())
    asyncio.run(link.close())
    gc.collect()


def test_a_link_closed_from_another_loop(own_port: int) -> None:
    link, is_up, is_over = LoopLink(at(own_port)), threading.Event(), threading.Event()
    outcomes: list[object] = []

    async def work() -> None:
        await link.ask([("PING",)])
        waiting = asyncio.create_task(link.ask([("BLPOP", "never", 30)]))
        await asyncio.sleep(0)
        is_up.set()
        outcomes.extend(await asyncio.gather(waiting, return_exceptions=True))
        is_over.set()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    assert is_up.wait(30)
    asyncio.run(link.close())
    assert is_over.wait(30)
    thread.join()
    assert isinstance(outcomes[0], CacheConnectionError)


def test_a_closed_link_stays_closed(port: int) -> None:
    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        waiting = asyncio.create_task(link.ask([("PING",)]))
        await asyncio.sleep(0)
        await link.close()
        await link.close()
        with pytest.raises(CacheConnectionError, match="closed"):
            await waiting
        with pytest.raises(CacheConnectionError, match="closed"):
            await link.ask([("PING",)])

    run(at(port), work)


def test_a_link_closed_while_it_connects(port: int) -> None:
    async def work(link: LoopLink) -> None:
        waiting = asyncio.create_task(link.ask([("PING",)]))
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(CacheConnectionError, match="closed"):
            await waiting

    run(at(port), work)


def test_a_reply_that_nobody_asked_for_breaks_the_connection(port: int) -> None:
    async def work(link: LoopLink) -> None:
        (first,) = await link.ask([("CLIENT", "ID")])
        link._channels[asyncio.get_running_loop()].data_received(b"+OK\r\n")
        assert (await link.ask([("CLIENT", "ID")])) != [first]

    run(at(port), work)


def test_a_server_that_cannot_serve_is_a_failure(own_port: int) -> None:
    async def work(link: LoopLink) -> None:
        await link.ask([("PING",)])
        tell(own_port, "REPLICAOF", "127.0.0.1", "1")
        tell(own_port, "CONFIG", "SET", "replica-serve-stale-data", "no")
        outcomes = await asyncio.gather(*[link.ask([("GET", "a")]) for _ in range(5)], return_exceptions=True)
        assert all(isinstance(one, CacheConnectionError) and "MASTERDOWN" in str(one) for one in outcomes)
        tell(own_port, "REPLICAOF", "NO", "ONE")
        assert await link.ask([("GET", "a")]) == [None]

    run(at(own_port), work)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("is_over_tls", [False, True])
def test_a_forked_child_leaves_its_parents_connection_alone(shared: Shared, *, is_over_tls: bool) -> None:
    options = {"ssl_ca_certs": shared.authority} if is_over_tls else {}
    port = shared.tls_port if is_over_tls else shared.port

    async def work(link: LoopLink) -> None:
        (mine,) = await link.ask([("CLIENT", "ID")])
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            code = 1
            try:
                asyncio._set_running_loop(None)

                async def other() -> int:
                    (own,) = await link.ask([("CLIENT", "ID")])
                    await link.close()
                    return 0 if own != mine else 2

                code = asyncio.run(other())
            finally:
                os._exit(code)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert await link.ask([("CLIENT", "ID")]) == [mine]

    run(address_of("localhost", port, ssl=is_over_tls, connection_options=options), work)
