"""Ten thousand random interleavings of threads: one runs at a time, and a scheduler says which.

The threads are real and so is the engine. Where it asks its store or waits for a flight, and where a loader works, a
thread hands its turn back to the scheduler, which gives the next one to any that can go on.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.engine.explorer import KEYS, Model, Step, Value, program

from cachery import InMemoryCache
from cachery.engine.context import LoadContext
from cachery.loading import BlockingEngine
from cachery.model.entry import Entry
from cachery.ports.runtime import Signal
from cachery.runtimes.threads import ThreadRuntime
from cachery.step import step as carry_through
from cachery.testing import FakeClock, check_invariants

INTERLEAVINGS = 10_000
PATIENCE = 30.0


class Turns:
    """Gives the turn to one thread at a time. ``pool`` runs the threads, and outlives the programs."""

    def __init__(self, pool: ThreadPoolExecutor, chance: random.Random) -> None:
        self._pool = pool
        self._chance = chance
        self._own = threading.local()
        self._back = threading.Semaphore(0)
        self._waiting: list[tuple[threading.Semaphore, Callable[[], bool]]] = []
        self._failures: list[BaseException] = []

    def start(self, work: Callable[[], object]) -> None:
        """Let ``work`` take part; it begins when it is given its first turn."""
        turn = threading.Semaphore(0)
        self._waiting.append((turn, lambda: True))
        self._pool.submit(self._run, turn, work)

    def _run(self, turn: threading.Semaphore, work: Callable[[], object]) -> None:
        self._own.turn = turn
        turn.acquire()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised by run
            self._failures.append(error)
        self._back.release()

    def give_back(self, can_go_on: Callable[[], bool] = lambda: True) -> None:
        """End the turn of this thread; it gets another once ``can_go_on()``."""
        self._waiting.append((self._own.turn, can_go_on))
        self._back.release()
        self._own.turn.acquire()

    def run(self) -> None:
        """Give turns until nobody wants one."""
        while self._waiting:
            ready = [place for place, (_, can_go_on) in enumerate(self._waiting) if can_go_on()]
            assert ready, "everybody waits for somebody else"
            turn, _ = self._waiting.pop(self._chance.choice(ready))
            turn.release()
            assert self._back.acquire(timeout=PATIENCE)
        if self._failures:
            raise self._failures[0]


class TurnRuntime(ThreadRuntime):
    """The runtime of threads, its waits and its background handed to the scheduler."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def spawn(self, work: Any, end: Signal) -> None:
        del end
        self._turns.start(lambda: carry_through(work))

    async def wait(self, signal: Signal, timeout: float | None) -> bool:
        del timeout
        happened: list[bool] = []
        if signal.attend(lambda: happened.append(True)):
            self._turns.give_back(lambda: bool(happened))
        return True


class TurnCache(InMemoryCache):
    """A memory cache whose engine gives its turn back before everything it asks of the store."""

    turns: Turns

    def build_engine(self) -> BlockingEngine:
        engine = super().build_engine()
        return BlockingEngine(engine.core.on(TurnRuntime(self.turns)), engine.recorder)

    def read_entry(self, key: str) -> Entry | None:
        self.turns.give_back()
        return super().read_entry(key)

    def write_entry(self, key: str, entry: Entry, token: Any = None) -> bool:
        self.turns.give_back()
        return super().write_entry(key, entry, token)

    def open_token(self, key: str) -> Any:
        self.turns.give_back()
        return super().open_token(key)


class Actor:
    """Takes its steps, one after the other, and tells the model."""

    def __init__(self, cache: TurnCache, clock: FakeClock, model: Model, chance: random.Random) -> None:
        self.cache, self.clock, self.model, self.chance = cache, clock, model, chance

    def act(self, steps: list[Step]) -> None:
        for step in steps:
            self.cache.turns.give_back()
            getattr(self, f"do_{step.verb}", self.invalidate)(step)

    def do_pass_time(self, step: Step) -> None:
        self.clock.advance(self.chance.choice([1, 3, 6]))

    def do_get(self, step: Step) -> None:
        horizon = self.model.horizon()
        self.model.judge(self.cache.get(step.key), horizon)

    def do_get_or_set(self, step: Step) -> None:
        horizon = self.model.horizon()

        def load(context: LoadContext) -> Value:
            value = self.load(step)
            context.tags = [value.tag]
            return value

        if step.is_tag_known:
            value = self.cache.get_or_set(step.key, lambda: self.load(step), tags=[step.tag], **step.options)
        else:
            value = self.cache.get_or_set(step.key, load, **step.options)
        self.model.judge(value, horizon)

    def do_get_many_or_set(self, step: Step) -> None:
        horizon = self.model.horizon()

        def load(keys: list[str]) -> dict[str, Value]:
            began = self.model.tick()
            self.linger()
            return {key: Value(key, step.tag, began) for key in keys}

        for value in self.cache.get_many_or_set(KEYS, load, tags=[step.tag], **step.options).values():
            self.model.judge(value, horizon)

    def load(self, step: Step) -> Value:
        value = Value(step.key, step.tag, self.model.tick())
        self.linger()
        return value

    def linger(self) -> None:
        for _ in range(self.chance.randrange(3)):
            self.cache.turns.give_back()

    def invalidate(self, step: Step) -> None:
        if step.verb == "set":
            at = self.model.tick()
            self.cache.set(step.key, Value(step.key, step.tag, self.model.tick()), tags=[step.tag])
        else:
            arguments = {"clear": (), "invalidate_tags": (step.tag,)}.get(step.verb, (step.key,))
            getattr(self.cache, step.verb)(*arguments)
            at = self.model.tick()
        self.model.invalidated(step, at)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def run(pool: ThreadPoolExecutor, chance: random.Random) -> Model:
    """Run one program; return what the model saw."""
    clock, model = FakeClock(), Model()
    cache = TurnCache(clock=clock)
    cache.turns = Turns(pool, chance)
    for steps in program(chance):
        actor = Actor(cache, clock, model, chance)
        cache.turns.start(lambda actor=actor, steps=steps: actor.act(steps))  # type: ignore[misc]
    cache.turns.run()
    check_invariants(cache)
    return model


def test_no_read_of_what_was_invalidated(pool: ThreadPoolExecutor) -> None:
    reads = overtaken = 0
    for seed in range(INTERLEAVINGS):
        try:
            model = run(pool, random.Random(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        reads += model.reads
        overtaken += model.overtaken
    assert reads > INTERLEAVINGS
    assert overtaken > INTERLEAVINGS / 100, "the programs are to provoke what they look for"
