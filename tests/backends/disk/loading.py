"""Processes that load through a cache, and let us hold their loaders for as long as we like."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.backends.disk.actors import Actor, Pipe, carry_out, disk_cache

from cachery import aio
from cachery.events import Event, Miss


def note_load(log: Path, key: str) -> None:
    """Write down that the loader of ``key`` was called."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{key}\n".encode())
    finally:
        os.close(file)


def loads_in(log: Path) -> list[str]:
    """Return the keys that were loaded, by whatever process."""
    return log.read_text().splitlines() if log.exists() else []


def holding(pipe: Pipe, log: Path, key: str) -> Any:
    """Be a loader that returns what we are told through the pipe."""
    note_load(log, key)
    pipe.send("loading")
    return pipe.connection.recv()


def load(pipe: Pipe, place: Path, log: Path, options: dict[str, Any]) -> None:
    """Load what is asked for. A key that is missed is told, and so is the beginning of its load."""
    with disk_cache(place, **options) as cache:
        cache.subscribe(lambda event: _tell_miss(pipe, event))
        kept = cache.cached(key="a")(lambda: holding(pipe, log, "a"))
        pipe.send("ready")
        while True:
            verb, *args = pipe.connection.recv()
            if verb == "load":
                key, tags = args
                answer = cache.get_or_set(key, lambda key=key: holding(pipe, log, key), tags=tags)
            elif verb == "refresh":
                answer = kept.refresh()
            else:
                answer = carry_out(cache, verb, *args)
            pipe.send(("answer", answer))


def _tell_miss(pipe: Pipe, event: Event) -> None:
    if isinstance(event, Miss):
        pipe.send("missed")


def load_in_loop(pipe: Pipe, place: Path, log: Path, options: dict[str, Any]) -> None:
    """Do the same in an event loop."""
    asyncio.run(_load_in_loop(pipe, place, log, options))


async def _load_in_loop(pipe: Pipe, place: Path, log: Path, options: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    async with aio.DiskCache(place, secret="a secret of tests", max_bytes="64MiB", **options) as cache:
        cache.blocking.subscribe(lambda event: _tell_miss(pipe, event))
        pipe.send("ready")
        while True:
            verb, *args = await loop.run_in_executor(None, pipe.connection.recv)
            key = args[0]

            async def hold(key: str = key) -> Any:
                return await loop.run_in_executor(None, holding, pipe, log, key)

            is_load = verb == "load"
            answer = await (cache.get_or_set(key, hold, tags=args[1]) if is_load else getattr(cache, verb)(*args))
            pipe.send(("answer", answer))


class Loader(Actor):
    """A process that loads."""

    def __init__(self, place: Path, log: Path, part: Callable[..., None] = load, **options: Any) -> None:
        super().__init__(part, place, log, options)
        assert self.receive() == "ready"

    def begin(self, key: str = "a", tags: tuple[str, ...] = ()) -> None:
        """Let it ask for ``key``; returns when it has found that it is not there."""
        self.send(("load", key, tags))
        assert self.receive() == "missed"

    def hold(self, key: str = "a", tags: tuple[str, ...] = ()) -> None:
        """Let it ask for ``key``; returns when its loader runs."""
        self.begin(key, tags)
        assert self.receive() == "loading"

    def give(self, value: object) -> Any:
        """Let its loader return ``value``; return what the call got."""
        self.send(value)
        return self.answer()

    def answer(self) -> Any:
        """Return what the call got."""
        kind, answer = self.receive()
        assert kind == "answer"
        return answer


def load_each(pipe: Pipe, place: Path, log: Path, barrier: Any, keys: list[str]) -> None:
    """Load each of ``keys``, as soon as all others are there too."""
    with disk_cache(place) as cache:
        for key in keys:
            barrier.wait(60)
            value = cache.get_or_set(key, lambda key=key: note_load(log, key) or f"value of {key}")
            assert value == f"value of {key}"
    pipe.send("done")


def load_many_each(pipe: Pipe, place: Path, log: Path, barrier: Any, groups: list[list[str]]) -> None:
    """Load each of ``groups`` by one call, as soon as all others are there too."""

    def load_all(keys: list[str]) -> dict[str, str]:
        for key in keys:
            note_load(log, key)
        return {key: f"value of {key}" for key in keys}

    with disk_cache(place) as cache:
        for keys in groups:
            barrier.wait(60)
            assert cache.get_many_or_set(keys, load_all) == {key: f"value of {key}" for key in keys}
    pipe.send("done")
