"""A process is killed in the midst of writing: what it had done is there, what it was doing happened or did not."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from tests.backends.disk import crashing
from tests.backends.disk.actors import Actor, disk_cache
from tests.backends.disk.crashing import Model, Operation, after, held_by, without_tags

from cachery import DiskCache

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def killed(actor: Actor, chance: random.Random) -> tuple[list[Operation], Operation | None]:
    """Kill ``actor`` at some moment; return what it has done and what it was doing."""
    assert actor.receive() == "ready"
    said = [actor.receive() for _ in range(chance.randint(1, 60))]
    moment = time.perf_counter() + chance.random() ** 2 * 0.004
    while time.perf_counter() < moment:
        pass
    actor.process.kill()
    try:
        while True:
            said.append(actor.connection.recv())
    except EOFError:
        actor.process.join()
    doing = None if said[-1] is None else said.pop()
    return said[::2], doing


def big_files(place: Path) -> int:
    values = place / "values"
    return len(list(values.iterdir())) if values.exists() else 0


def possible(model: Model, doing: Operation) -> list[Model]:
    """Return what may be there when ``doing`` was interrupted."""
    return [without_tags(model), without_tags(after(model, doing))]


def check(cache: DiskCache, model: Model) -> None:
    """Look inside: numbers agree, and there is a file for each large value and none besides."""
    assert cache.store.audit() == []
    large = [held for held, _ in model.values() if isinstance(held, tuple) and held[1] >= crashing.BIG]
    assert big_files(cache.path) == len(large)
    assert cache.total_bytes >= sum(size for _, size in large)
    assert len(cache) == len(model)


def test_nothing_is_lost_or_torn_when_a_writer_is_killed(tmp_path: Path, stress: float) -> None:
    chance = random.Random(20)
    model: Model = {}
    first, happened, interrupted = 1, 0, 0
    readers = [Actor(crashing.read, tmp_path, seed, seed % 2 == 1) for seed in range(2)]
    assert [reader.receive() for reader in readers] == ["ready", "ready"]
    cache = disk_cache(tmp_path)
    for number in range(max(10, int(1000 * stress))):
        done, doing = killed(Actor(crashing.write, tmp_path, number, first), chance)
        for operation in done:
            model = after(model, operation)
        first += len(done) + 1
        if number % 10 == 9:
            cache.close()
            cache = disk_cache(tmp_path)
        seen = held_by(cache)
        assert seen in ([without_tags(model)] if doing is None else possible(model, doing))
        cache.cleanup_expired()  # a commit that was all but done is seen by the next writer at the latest
        held = held_by(cache)
        if doing is not None:
            interrupted += 1
            if held != without_tags(model):
                happened += 1
                model = after(model, doing)
        assert held == without_tags(model)
        check(cache, model)
    cache.close()
    for reader in readers:
        reader.send("enough")
        wrong, reads = reader.receive()
        assert wrong == []
        assert reads > 0
        reader.end()
    assert interrupted >= happened
