"""What an entry is worth at a moment."""

from __future__ import annotations

import math

from cachery.model.entry import Entry, Freshness, classify


def test_an_entry_without_stamps_is_fresh_for_ever() -> None:
    assert classify(Entry(1), 1e12) is Freshness.FRESH


def test_the_four_ages_of_an_entry() -> None:
    entry = Entry(1, fresh_until=10, refresh_at=8, stale_until=30)
    ages = {now: classify(entry, now) for now in (7.9, 8, 9.9, 10, 29.9, 30)}
    assert list(ages.values()) == [
        Freshness.FRESH,
        Freshness.REFRESH_DUE,
        Freshness.REFRESH_DUE,
        Freshness.STALE,
        Freshness.STALE,
        Freshness.DEAD,
    ]


def test_without_a_stale_time_the_end_is_the_end() -> None:
    assert classify(Entry(1, fresh_until=10), 10) is Freshness.DEAD
    assert Entry(1).stale_until == -math.inf
