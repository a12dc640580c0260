"""Ten thousand random interleavings under asyncio: a loop that takes what is ready in any order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.explorer import KEYS, Model, Step, Value, program

from cachery.aio import InMemoryCache
from cachery.backends.adapt import Inline
from cachery.engine.context import LoadContext
from cachery.in_memory import InMemoryCache as BlockingCache
from cachery.testing import FakeClock, check_invariants

INTERLEAVINGS = 10_000


class AnyOrderLoop(asyncio.SelectorEventLoop):
    """Runs one thing at a time, any of those that are ready."""

    chance = random.Random()

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            ready.rotate(self.chance.randrange(len(ready)))
        others = [ready.pop() for _ in range(len(ready) - 1)]
        super()._run_once()  # type: ignore[misc]
        ready.extend(reversed(others))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=AnyOrderLoop) as runner:
        yield runner


class Actor:
    """Takes its steps, one after the other, and tells the model."""

    def __init__(self, cache: InMemoryCache, clock: FakeClock, model: Model, chance: random.Random) -> None:
        self.cache, self.clock, self.model, self.chance = cache, clock, model, chance

    async def act(self, steps: list[Step]) -> None:
        for step in steps:
            await asyncio.sleep(0)
            await getattr(self, f"do_{step.verb}", self.invalidate)(step)

    async def do_pass_time(self, step: Step) -> None:
        self.clock.advance(self.chance.choice([1, 3, 6]))

    async def do_get(self, step: Step) -> None:
        horizon = self.model.horizon()
        self.model.judge(await self.cache.get(step.key), horizon)

    async def do_get_or_set(self, step: Step) -> None:
        horizon = self.model.horizon()

        async def load(context: LoadContext) -> Value:
            value = await self.load(step.key, step)
            context.tags = [value.tag]
            return value

        async def load_tagged() -> Value:
            return await self.load(step.key, step)

        if step.is_tag_known:
            value = await self.cache.get_or_set(step.key, load_tagged, tags=[step.tag], **step.options)
        else:
            value = await self.cache.get_or_set(step.key, load, **step.options)
        self.model.judge(value, horizon)

    async def do_get_many_or_set(self, step: Step) -> None:
        horizon = self.model.horizon()

        async def load(keys: list[str]) -> dict[str, Value]:
            began = self.model.tick()
            await self.linger()
            return {key: Value(key, step.tag, began) for key in keys}

        for value in (await self.cache.get_many_or_set(KEYS, load, tags=[step.tag], **step.options)).values():
            self.model.judge(value, horizon)

    async def load(self, key: str, step: Step) -> Value:
        value = Value(key, step.tag, self.model.tick())
        await self.linger()
        return value

    async def linger(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)

    async def invalidate(self, step: Step) -> None:
        if step.verb == "set":
            at = self.model.tick()
            await self.cache.set(step.key, Value(step.key, step.tag, self.model.tick()), tags=[step.tag])
        else:
            arguments = {"clear": (), "invalidate_tags": (step.tag,)}.get(step.verb, (step.key,))
            await getattr(self.cache, step.verb)(*arguments)
            at = self.model.tick()
        self.model.invalidated(step, at)


async def run(chance: random.Random) -> Model:
    """Run one program; return what the model saw."""
    clock, model = FakeClock(), Model()
    cache = InMemoryCache(clock=clock)
    actors = [Actor(cache, clock, model, chance).act(steps) for steps in program(chance)]
    await asyncio.gather(*actors)
    await cache.drain()
    check_invariants(cache)
    return model


def run_all(runner: asyncio.Runner, programs: int) -> tuple[int, int]:
    """Run ``programs``; return how many reads there were, and how many of values that were overtaken meanwhile."""
    reads = overtaken = 0
    for seed in range(programs):
        chance = AnyOrderLoop.chance = random.Random(seed)
        try:
            model = runner.run(run(chance))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        reads += model.reads
        overtaken += model.overtaken
    return reads, overtaken


def test_no_read_of_what_was_invalidated(runner: asyncio.Runner) -> None:
    reads, overtaken = run_all(runner, INTERLEAVINGS)
    assert reads > INTERLEAVINGS
    assert overtaken > INTERLEAVINGS / 100, "the programs are to provoke what they look for"


async def write_without_token(store: Any, key: str, entry: Any, token: Any = None) -> bool:
    del token
    stored: bool = store._backend.write_entry(key, entry, None)
    return stored


BREAKS: dict[str, tuple[type[Any], str, Any]] = {
    "who asks late joins a load that was overtaken": (BlockingCache, "is_current", lambda *_: True),
    "what was overtaken is stored": (Inline, "write_entry", write_without_token),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_engine_is_found_out(runner: asyncio.Runner, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BREAKS[name])
    with pytest.raises(AssertionError, match="was read although"):
        run_all(runner, 500)
