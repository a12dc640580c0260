"""The sketch behind ``tinylfu``: never too low before it ages, rarely too high; and who was turned away."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cachery.policies.ghosts import Ghosts
from cachery.policies.sketch import Sketch

KEYS = [f"key {number}" for number in range(40)]


class SketchMachine(RuleBasedStateMachine):
    """A sketch that does not come to age is never below the count, and at most at 15."""

    def __init__(self) -> None:
        super().__init__()
        self.sketch = Sketch(1000)
        self.counts: Counter[str] = Counter()

    @rule(key=st.sampled_from(KEYS), times=st.integers(1, 20))
    def count(self, key: str, times: int) -> None:
        for _ in range(times):
            self.sketch.count(key)
        self.counts[key] += times

    @rule(entries=st.integers(1, 5000))
    def grow(self, entries: int) -> None:
        self.sketch.make_room(entries)

    @invariant()
    def is_never_too_low(self) -> None:
        for key in KEYS:
            assert min(self.counts[key], 15) <= self.sketch.frequency(key) <= 15


TestSketch = SketchMachine.TestCase


@given(st.integers(1, 3000), st.integers(0, 2**60))
def test_hardly_any_estimate_is_too_high(entries: int, first: int) -> None:
    sketch = Sketch(entries)
    seen = [f"{first + number}" for number in range(entries)]
    for key in seen:
        sketch.count(key)
    strangers = [f"stranger {number}" for number in range(1000)]
    too_high = sum(sketch.frequency(key) > 0 for key in strangers) + sum(sketch.frequency(key) > 1 for key in seen)
    assert too_high <= 0.02 * (entries + 1000) + 5


@given(st.integers(1, 2000))
def test_what_was_popular_once_fades(entries: int) -> None:
    sketch = Sketch(entries)
    for _ in range(15):
        sketch.count("once")
    for number in range(25 * entries):
        sketch.count(f"{number}")
    assert sketch.frequency("once") <= 8


def test_it_takes_16_bytes_for_an_entry_at_most_twice_that() -> None:
    for entries in (1, 4, 5, 1000, 1025, 100_000):
        assert 16 * entries <= max(Sketch(entries).bytes_used, 64) < max(32 * entries, 65)


@given(st.integers(1, 300), st.lists(st.integers(0, 400), max_size=600))
def test_ghosts_know_only_those_who_were_turned_away_lately(limit: int, numbers: list[int]) -> None:
    ghosts = Ghosts(limit)
    last: dict[int, int] = {}
    for moment, number in enumerate(numbers):
        ghosts.remember(f"{number}")
        last[number] = moment
    known = [number for number in range(401) if ghosts.recall(f"{number}")]
    assert all(number in last and len(numbers) - last[number] <= limit for number in known)
    recent = [number for number, moment in last.items() if len(numbers) - moment <= limit]
    assert len(known) >= len(recent) / 2 - 3  # the others lost their place
    assert not any(ghosts.recall(f"{number}") for number in known)


def test_any_key_has_a_hash() -> None:
    keys: list[Any] = ["a", 5, ("a", 5)]
    sketch = Sketch(10)
    for key in keys:
        sketch.count(key)
    assert [sketch.frequency(key) for key in keys] == [1, 1, 1]
