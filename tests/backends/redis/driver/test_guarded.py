"""The link that leaves servers alone which failed too often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cachery import CacheConnectionError, CacheTimeoutError, CircuitBreaker
from cachery.backends.redis.driver.guarded import Guarded
from cachery.backends.redis.link import Command
from cachery.step import step
from cachery.testing import FakeClock


class Servers:
    """A link whose servers are up, or fail with ``error``."""

    is_cluster = False

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.asked = self.posted = 0
        self.is_closed = False

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [b"OK"] * len(commands)

    def post(self, commands: Sequence[Command]) -> None:
        self.posted += 1

    async def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        yield [match]
        await self.ask([("SCAN",)])

    async def close(self) -> None:
        self.is_closed = True


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.servers = Servers()
        self.news: list[str] = []
        breaker = CircuitBreaker(3, "10s", clock=self.clock)
        self.link = Guarded(
            self.servers,
            breaker,
            on_down=lambda error: self.news.append(f"down: {error}"),
            on_up=lambda: self.news.append("up"),
        )

    def ask(self) -> object:
        try:
            return step(self.link.ask([("PING",)]))
        except (CacheConnectionError, CacheTimeoutError) as error:
            return error

    def fail(self, times: int) -> None:
        self.servers.error = CacheConnectionError("gone")
        for _ in range(times):
            self.ask()

    def keys(self) -> list[bytes]:
        async def work() -> list[bytes]:
            return [key async for keys in self.link.scan(b"*") for key in keys]

        return step(work())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_as_long_as_they_serve_nothing_happens(scene: Scene) -> None:
    assert [scene.ask() for _ in range(5)] == [[b"OK"]] * 5
    assert scene.news == []


@pytest.mark.parametrize("kind", [CacheConnectionError, CacheTimeoutError])
def test_after_the_third_failure_in_a_row_they_are_left_alone(
    scene: Scene, kind: type[CacheConnectionError | CacheTimeoutError]
) -> None:
    scene.servers.error = kind("gone")
    for _ in range(10):
        scene.ask()
    assert scene.servers.asked == 3
    assert scene.news == ["down: gone"]
    refusal = scene.ask()
    assert isinstance(refusal, CacheConnectionError)
    assert "tried again in 10 seconds" in str(refusal)
    assert refusal.context["retry_after"] == 10.0
    assert refusal.context["was_sent"] is False


def test_one_may_try_after_a_while_and_when_that_works_all_may(scene: Scene) -> None:
    scene.fail(3)
    scene.clock.advance(10)
    scene.fail(5)
    assert scene.servers.asked == 4
    scene.clock.advance(10)
    scene.servers.error = None
    assert [scene.ask() for _ in range(3)] == [[b"OK"]] * 3
    assert scene.news == ["down: gone", "up"]
    scene.fail(3)
    assert scene.news == ["down: gone", "up", "down: gone"]


def test_who_is_cancelled_says_nothing_about_the_servers(scene: Scene) -> None:
    scene.fail(3)
    scene.clock.advance(10)
    scene.servers.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        scene.ask()
    scene.servers.error = None
    assert scene.ask() == [b"OK"]
    assert scene.news == ["down: gone", "up"]


def test_only_one_tries_while_the_others_are_refused(scene: Scene) -> None:
    scene.fail(3)
    scene.clock.advance(10)
    scene.servers.error = None

    async def work() -> list[Any]:
        gate = asyncio.Event()
        ask = scene.servers.ask

        async def slowly(commands: Sequence[Command]) -> list[Any]:
            await gate.wait()
            return await ask(commands)

        scene.servers.ask = slowly  # type: ignore[method-assign]
        asks = [asyncio.create_task(scene.link.ask([("PING",)])) for _ in range(20)]
        await asyncio.sleep(0)
        gate.set()
        outcomes: list[Any] = await asyncio.gather(*asks, return_exceptions=True)
        return outcomes

    outcomes = asyncio.run(work())
    assert outcomes.count([b"OK"]) == 1
    assert sum(isinstance(outcome, CacheConnectionError) for outcome in outcomes) == 19
    assert scene.news == ["down: gone", "up"]


def test_the_news_is_told_once_whoever_finds_out(scene: Scene) -> None:
    scene.servers.error = CacheConnectionError("gone")
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            list(pool.map(lambda _: scene.ask(), range(40)))
            scene.clock.advance(10)
            scene.servers.error = None
            list(pool.map(lambda _: scene.ask(), range(40)))
            scene.servers.error = CacheConnectionError("gone")
    assert scene.news == ["down: gone", "up"] * 20


def test_a_listener_may_ask(scene: Scene) -> None:
    scene.link._outages._on_down = lambda _: scene.news.append(str(scene.ask()))
    scene.fail(3)
    assert "left alone" in scene.news[0]


def test_news_that_come_while_others_are_told_are_told_after_them(scene: Scene) -> None:
    def on_down(_: Exception) -> None:
        scene.servers.error = None
        scene.clock.advance(10)
        assert scene.ask() == [b"OK"]
        scene.news.append("down")

    scene.link._outages._on_down = on_down
    scene.fail(3)
    assert scene.news == ["down", "up"]


def test_what_a_listener_raises_is_raised_and_the_next_news_are_told(scene: Scene) -> None:
    def on_down(_: Exception) -> None:
        raise ZeroDivisionError

    scene.link._outages._on_down = on_down
    with pytest.raises(ZeroDivisionError):
        scene.fail(3)
    scene.clock.advance(10)
    scene.servers.error = None
    assert scene.ask() == [b"OK"]
    assert scene.news == ["up"]


def test_nothing_is_posted_while_they_are_left_alone(scene: Scene) -> None:
    scene.link.post([("PING",)])
    scene.fail(3)
    scene.link.post([("PING",)])
    assert scene.servers.posted == 1


def test_scanning_counts_too(scene: Scene) -> None:
    assert scene.keys() == [b"*"]
    scene.servers.error = CacheTimeoutError("late")
    for _ in range(3):
        with pytest.raises(CacheTimeoutError):
            scene.keys()
    with pytest.raises(CacheConnectionError, match="left alone"):
        scene.keys()
    assert scene.news == ["down: late"]


def test_closing(scene: Scene) -> None:
    step(scene.link.close())
    assert scene.servers.is_closed
    assert repr(scene.link).endswith("closed>")
