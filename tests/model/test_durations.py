"""From what people write for a time span to seconds."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery.exceptions import CacheValueError
from cachery.model.durations import HUNDRED_YEARS, Duration, life_of, seconds


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (0, 0),
        (5, 5),
        (2.5, 2.5),
        (-3, -3),
        ("90", 90),
        ("1.5", 1.5),
        ("250ms", 0.25),
        ("5m", 300),
        ("1h30m", 5400),
        ("1H 30M", 5400),
        ("2d", 172800),
        ("1w1d1h1m1s1ms", 694861.001),
        ("1.5h", 5400),
        (timedelta(minutes=5), 300),
        (timedelta(microseconds=1), 1e-6),
        (math.inf, math.inf),
        (-math.inf, -HUNDRED_YEARS),
        (1e30, HUNDRED_YEARS),
        (10**400, HUNDRED_YEARS),
        ("9" * 400, HUNDRED_YEARS),
        (timedelta.max, HUNDRED_YEARS),
    ],
)
def test_a_span_in_seconds(span: Duration, expected: float) -> None:
    assert seconds(span) == pytest.approx(expected)


@pytest.mark.parametrize(
    "span",
    ["", "m", "5x", "5 m s", "-5", "+5", "1e3", "\u0665", "5m5", "5..5", "inf", math.nan, True, None, b"5", [], 5j],
)
def test_what_is_no_span_is_refused_by_its_name(span: Duration) -> None:
    with pytest.raises(CacheValueError, match="my_wait"):
        seconds(span, "my_wait")


@given(st.floats(allow_nan=False) | st.integers())
def test_no_number_is_too_much(number: float) -> None:
    assert -HUNDRED_YEARS <= seconds(number) <= HUNDRED_YEARS or number == math.inf


def test_a_default_is_above_nothing() -> None:
    assert life_of(None) == math.inf
    assert life_of("5m") == 300
    for default in (0, -1, "0s", timedelta(0)):
        with pytest.raises(CacheValueError, match="default_ttl must be above 0"):
            life_of(default)
