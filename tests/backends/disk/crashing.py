"""What a process does that is killed in the midst of it, and what must then be there."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path
from typing import Any

from tests.backends.disk.actors import Pipe, disk_cache, tiered_cache

from cachery.events import Event, Unreadable

KEYS = [f"key {number}" for number in range(30)]
NUMBERS = [f"number {number}" for number in range(5)]
TAGS = ["red", "blue"]
BIG = 2**20

Operation = tuple[Any, ...]
Model = dict[str, tuple[Any, tuple[str, ...]]]
"""What stands under each key: the number and size of a value, or a count, and its tags."""


def value_of(key: str, number: int, size: int) -> dict[str, Any]:
    """Return a value that tells whose it is."""
    return {"key": key, "number": number, "body": bytes([number % 251]) * size}


def is_whole(key: str, value: dict[str, Any]) -> bool:
    """Tell whether ``value`` was written under ``key``, and is as it was."""
    body = value["body"]
    return value == value_of(key, value["number"], len(body))


def random_operation(chance: random.Random, number: int) -> Operation:  # noqa: PLR0911 - a table of verbs
    kind = chance.choices(
        ["set", "delete", "set_many", "tags", "incr", "clear", "pattern", "touch", "add", "transaction"],
        [40, 10, 10, 4, 15, 1, 1, 5, 5, 5],
    )[0]
    if kind in {"set", "add"}:
        tags = tuple(tag for tag in TAGS if chance.random() < 0.2) if kind == "set" else ()
        return kind, chance.choice(KEYS), number, _size(chance), tags
    if kind == "set_many":
        return kind, {key: (number, _size(chance)) for key in chance.sample(KEYS, chance.randint(1, 6))}
    if kind == "transaction":
        return kind, [random_operation(chance, number) for _ in range(chance.randint(1, 4))]
    if kind == "incr":
        return kind, chance.choice(NUMBERS), chance.randint(-5, 9)
    if kind == "tags":
        return kind, chance.choice(TAGS)
    if kind == "pattern":
        return kind, f"key {chance.randint(1, 2)}?"
    return kind, chance.choice(KEYS)


def _size(chance: random.Random) -> int:
    return chance.randint(BIG, BIG + BIG // 2) if chance.random() < 0.08 else chance.randint(0, 6000)


def perform(cache: Any, operation: Operation) -> None:
    """Do it to ``cache``."""
    kind, *args = operation
    if kind == "set":
        key, number, size, tags = args
        cache.set(key, value_of(key, number, size), tags=tags)
    elif kind == "add":
        key, number, size, _ = args
        cache.add(key, value_of(key, number, size))
    elif kind == "set_many":
        cache.set_many({key: value_of(key, *of) for key, of in args[0].items()})
    elif kind == "transaction":
        with cache.transaction():
            for part in args[0]:
                perform(cache, part)
    elif kind == "tags":
        cache.invalidate_tags(args[0])
    elif kind == "clear":
        cache.clear()
    else:
        {"delete": cache.delete, "incr": cache.incr, "pattern": cache.delete_pattern, "touch": cache.touch}[kind](*args)


def after(model: Model, operation: Operation) -> Model:  # noqa: C901 - a table of verbs
    """Return what ``model`` becomes by it."""
    kind, *args = operation
    model = dict(model)
    if kind == "set" or (kind == "add" and args[0] not in model):
        key, number, size, tags = args
        model[key] = (number, size), tags
    elif kind == "set_many":
        model.update({key: (of, ()) for key, of in args[0].items()})
    elif kind == "transaction":
        for part in args[0]:
            model = after(model, part)
    elif kind == "tags":
        model = {key: held for key, held in model.items() if args[0] not in held[1]}
    elif kind == "incr":
        key, by = args
        model[key] = model.get(key, (0, ()))[0] + by, ()
    elif kind == "clear":
        model = {}
    elif kind == "pattern":
        start = args[0].removesuffix("?")
        model = {key: held for key, held in model.items() if not (key.startswith(start) and len(key) == len(args[0]))}
    elif kind == "delete":
        model.pop(args[0], None)
    return model


def held_by(cache: Any) -> Model:
    """Return what ``cache`` holds, as a model without tags."""
    found = cache.get_many([*KEYS, *NUMBERS])
    assert all(is_whole(key, value) for key, value in found.items() if key in KEYS)
    return {
        key: (value if key in NUMBERS else (value["number"], len(value["body"])), ()) for key, value in found.items()
    }


def without_tags(model: Model) -> Model:
    return {key: (held[0], ()) for key, held in model.items()}


def write(pipe: Pipe, place: Path, seed: int, first: int) -> None:
    """Write until we are killed, telling of each operation when it begins and when it is done."""
    chance = random.Random(seed)
    cache = disk_cache(place)
    pipe.send("ready")
    for number in count(first):
        operation = random_operation(chance, number)
        pipe.send(operation)
        perform(cache, operation)
        pipe.send(None)


def read(pipe: Pipe, place: Path, seed: int, is_tiered: bool) -> None:  # noqa: FBT001 - crosses a pipe
    """Read until the pipe says something; return what was wrong and how much was read."""
    chance = random.Random(seed)
    wrong: list[str] = []
    newest = dict.fromkeys(KEYS, 0)
    reads = 0

    def note(event: Event) -> None:
        if isinstance(event, Unreadable):
            wrong.append(repr(event))

    with (tiered_cache if is_tiered else disk_cache)(place) as cache:
        cache.subscribe(note)
        pipe.send("ready")
        while not pipe.connection.poll():
            for key in chance.choices(KEYS, k=50):
                value = cache.get(key)
                reads += 1
                if value is None:
                    continue
                if not is_whole(key, value):
                    wrong.append(f"{key!r} held the value of {value['key']!r}, number {value['number']}")
                if value["number"] < newest[key]:
                    wrong.append(f"{key!r} went back from {newest[key]} to {value['number']}")
                newest[key] = max(newest[key], value["number"])
        pipe.send((wrong, reads))
