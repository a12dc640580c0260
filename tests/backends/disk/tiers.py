"""Two processes with memory before a store, and what both must see."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from tests.backends.disk.actors import Pipe, tiered_cache

KEYS = [f"key {number}" for number in range(8)]
TAGS = ["red", "blue"]


def change(  # noqa: C901 - a table of verbs
    ask: Callable[..., Any], model: dict[str, tuple[int, str]], chance: random.Random, number: int
) -> None:
    """Change something by ``ask``, and ``model`` as that is to be."""
    kind = chance.choices(["set", "delete", "tag", "clear", "pattern", "many", "incr"], [30, 12, 8, 2, 4, 8, 8])[0]
    key, tag = chance.choice(KEYS), chance.choice(TAGS)
    if kind == "set":
        ask("set", key, number, [tag])
        model[key] = number, tag
    elif kind == "delete":
        assert ask("delete", key) is (model.pop(key, None) is not None)
    elif kind == "tag":
        ask("invalidate_tags", tag)
        for name in [name for name, (_, carried) in model.items() if carried == tag]:
            del model[name]
    elif kind == "clear":
        ask("clear")
        model.clear()
    elif kind == "pattern":
        ask("delete_pattern", f"{key[:-1]}[0-{key[-1]}]")
        for name in [name for name in model if name <= key]:
            del model[name]
    elif kind == "many":
        ask("set_many", {key: number, KEYS[0]: number})
        model[key] = model[KEYS[0]] = number, ""
    else:
        old, carried = model.get(key, (0, ""))
        assert ask("incr", key, 1) == old + 1
        model[key] = old + 1, carried


def write_pairs(pipe: Pipe, place: Path, first: int) -> None:
    """Write ever higher numbers until we are killed, telling of each before and after."""
    cache = tiered_cache(place)
    pipe.send("ready")
    for number in count(first):
        pipe.send(number)
        with cache.transaction():
            cache.set("left", number, tags=["red"])
            cache.set("right", number)
        if number % 7 == 0:
            cache.invalidate_tags("red")
            cache.set("left", number)
        pipe.send(None)
