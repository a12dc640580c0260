"""Random programs over one cache, and the model that judges what their reads returned.

A program is a few actors, each with a few steps: reads, loading reads, and invalidations of every kind, on two keys and
two tags. A scheduler lets the actors take turns at random, wherever they may be interrupted. Every value tells which
load made it. The rule: a read that begins after an invalidation returned never yields a value whose load had begun
before it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

KEYS = ("a", "b")
TAGS = ("red", "blue")
INVALIDATIONS = ("set", "delete", "delete_pattern", "invalidate_tags", "clear")
STEPS = ("get", "get_or_set", "get_or_set", "get_or_set", "get_many_or_set", "pass_time", *INVALIDATIONS)
OPTIONS: tuple[dict[str, Any], ...] = ({}, {"ttl": 5}, {"ttl": 5, "stale_ttl": 20}, {"ttl": 5, "refresh_ahead": 0.5})


@dataclass(frozen=True)
class Step:
    """One call of an actor."""

    verb: str
    key: str
    tag: str
    options: dict[str, Any]
    is_tag_known: bool


@dataclass(frozen=True)
class Value:
    """What a load, or a ``set``, made: ``began`` is the moment at which it began."""

    key: str
    tag: str
    began: int


def program(chance: random.Random) -> list[list[Step]]:
    """Return the steps of two to four actors."""
    return [
        [
            Step(
                chance.choice(STEPS),
                chance.choice(KEYS),
                chance.choice(TAGS),
                chance.choice(OPTIONS),
                chance.random() < 0.5,
            )
            for _ in range(chance.randint(1, 4))
        ]
        for _ in range(chance.randint(2, 4))
    ]


@dataclass
class Model:
    """Moments, counted, and what became invalid at which."""

    moment: int = 0
    hit: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    overtaken: int = 0

    def tick(self) -> int:
        """Return a moment later than all before."""
        self.moment += 1
        return self.moment

    def invalidated(self, step: Step, at: int) -> None:
        """Note that an invalidation has returned, which overtakes what began before the moment ``at``."""
        names = {
            "set": [f"key {step.key}"],
            "delete": [f"key {step.key}"],
            "delete_pattern": [f"key {step.key}"],
            "invalidate_tags": [f"tag {step.tag}"],
            "clear": [f"key {key}" for key in KEYS],
        }[step.verb]
        self.hit.update(dict.fromkeys(names, at))

    def horizon(self) -> dict[str, int]:
        """Return what is invalid by now; a read that begins now is to be judged by it."""
        return dict(self.hit)

    def judge(self, value: Value | None, horizon: dict[str, int]) -> None:
        """Raise ``AssertionError`` for a value that an invalidation overtook before its read began."""
        self.reads += 1
        if value is None:
            return
        limit = max(horizon.get(f"key {value.key}", 0), horizon.get(f"tag {value.tag}", 0))
        assert value.began > limit, f"{value} was read although it became invalid at {limit}"
        if value.began <= max(self.hit.get(f"key {value.key}", 0), self.hit.get(f"tag {value.tag}", 0)):
            self.overtaken += 1
