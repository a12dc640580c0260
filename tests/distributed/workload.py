"""What the workers of a process do, at random: written once, awaited in a loop and stepped through on threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Any, Protocol

from tests.distributed.recorder import Recorder

from cachery.step import step
from cachery.testing.loop_thread import LoopThread

KEYS = tuple(f"key-{number}" for number in range(8))
TAGS = ("even", "odd", "first", "last")
PACE = 0.004
LONGEST_LOAD = 0.02


def tags_of(key: str) -> tuple[str, str]:
    number = KEYS.index(key)
    return TAGS[number % 2], TAGS[2 + number // 4]


KEYS_OF = {tag: tuple(key for key in KEYS if tag in tags_of(key)) for tag in TAGS}


class Hands(Protocol):
    """How a cache is called, and how one waits."""

    async def call(self, verb: str, *args: Any, **options: Any) -> Any: ...

    async def pause(self, seconds: float) -> None: ...

    def loader(self, make: Callable[[], str], seconds: float) -> Callable[[], Any]: ...


class Blocking:
    """Calls a cache on threads."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self.stopped = threading.Event()
        self._threads = ThreadPoolExecutor()
        self._workers: list[Future[None]] = []

    async def call(self, verb: str, *args: Any, **options: Any) -> Any:
        return getattr(self._cache, verb)(*args, **options)

    async def pause(self, seconds: float) -> None:
        self.stopped.wait(seconds)

    def loader(self, make: Callable[[], str], seconds: float) -> Callable[[], Any]:
        def load() -> str:
            made = make()
            self.stopped.wait(seconds)
            return made

        return load

    def start(self, works: list[Work]) -> None:
        self._workers += [self._threads.submit(work.go_on_here, self.stopped.is_set) for work in works]

    def stop(self) -> None:
        self.stopped.set()
        for worker in self._workers:
            worker.result()

    def look(self, recorder: Recorder, keys: tuple[str, ...]) -> dict[str, str | None]:
        return step(Work(self, recorder, Random(0)).look(keys))

    def do(self, verb: str, *args: Any) -> Any:
        return getattr(self._cache, verb)(*args)

    def begin(self, count: int, key: str, make: Callable[[], str], note: Callable[[str], object]) -> None:
        def work() -> None:
            note(self._cache.get_or_set(key, make))

        for _ in range(count):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        self._cache.close()


class Awaiting:
    """Calls a cache in a loop, which runs on a thread."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._loop = LoopThread()
        self.stopped = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def call(self, verb: str, *args: Any, **options: Any) -> Any:
        return await getattr(self._cache, verb)(*args, **options)

    async def pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopped.wait()

    def loader(self, make: Callable[[], str], seconds: float) -> Callable[[], Any]:
        async def load() -> str:
            made = make()
            await self.pause(seconds)
            return made

        return load

    def start(self, works: list[Work]) -> None:
        async def begin() -> None:
            self._tasks += [asyncio.create_task(work.go_on(self.stopped.is_set)) for work in works]

        self._loop.run(begin())

    def stop(self) -> None:
        async def end() -> None:
            self.stopped.set()
            await asyncio.gather(*self._tasks)

        self._loop.run(end())

    def look(self, recorder: Recorder, keys: tuple[str, ...]) -> dict[str, str | None]:
        return self._loop.run(Work(self, recorder, Random(0)).look(keys))

    def do(self, verb: str, *args: Any) -> Any:
        return self._loop.run(getattr(self._cache, verb)(*args))

    def begin(self, count: int, key: str, make: Callable[[], str], note: Callable[[str], object]) -> None:
        async def load() -> str:
            return await asyncio.to_thread(make)

        async def work() -> None:
            note(await self._cache.get_or_set(key, load))

        async def begin() -> None:
            self._tasks += [asyncio.create_task(work()) for _ in range(count)]

        self._loop.run(begin())

    def close(self) -> None:
        self._loop.run(self._cache.close())
        self._loop.close()


class Work:
    """One worker. ``changes``: whether it writes and invalidates too."""

    def __init__(self, hands: Hands, recorder: Recorder, random: Random, *, changes: bool = True) -> None:
        self._hands = hands
        self._recorder = recorder
        self._random = random
        self._weights = (60, 25, *((6, 6, 3, 2) if changes else (0, 0, 0, 0)))
        self._acts = (self._get, self._load, self._set, self._delete, self._hit_tag, self._clear)

    async def go_on(self, is_stopped: Callable[[], bool]) -> None:
        while not is_stopped():
            (act,) = self._random.choices(self._acts, self._weights)
            await act(self._random.choice(KEYS))
            await self._hands.pause(self._random.random() * PACE)

    def go_on_here(self, is_stopped: Callable[[], bool]) -> None:
        """Go on, on this thread."""
        step(self.go_on(is_stopped))

    async def look(self, keys: tuple[str, ...]) -> dict[str, str | None]:
        return {key: await self._get(key) for key in keys}

    async def _get(self, key: str) -> str | None:
        found: str | None = None
        with self._recorder.reading(key) as note:
            found = await self._hands.call("get", key)
            note(found)
        return found

    async def _load(self, key: str) -> None:
        asked = monotonic()
        load = self._hands.loader(lambda: self._recorder.load(key, asked), self._random.random() * LONGEST_LOAD)
        with self._recorder.reading(key) as note:
            note(await self._hands.call("get_or_set", key, load, tags=tags_of(key)))

    async def _set(self, key: str) -> None:
        with self._recorder.changing("set", [key]) as value:
            await self._hands.call("set", key, value.text, tags=tags_of(key))

    async def _delete(self, key: str) -> None:
        with self._recorder.changing("delete", [key]):
            await self._hands.call("delete", key)

    async def _hit_tag(self, key: str) -> None:
        tag = self._random.choice(tags_of(key))
        with self._recorder.changing("tags", KEYS_OF[tag]):
            await self._hands.call("invalidate_tags", tag)

    async def _clear(self, key: str) -> None:
        with self._recorder.changing("clear", KEYS):
            await self._hands.call("clear")
