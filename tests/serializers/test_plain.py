"""A value is plain when lists, dicts and leaves are all there is to it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from tests.serializers.values import carried

from cachery.serializers.plain import is_plain

LEAVES = frozenset({type(None), bool, int, float, str})
KEYS = frozenset({str})


def is_plain_by_recursion(value: Any) -> bool:
    if type(value) is dict:
        return all(type(key) is str and is_plain_by_recursion(member) for key, member in value.items())
    if type(value) is list:
        return all(map(is_plain_by_recursion, value))
    return type(value) in LEAVES


@given(carried)
def test_going_by_levels_finds_what_going_down_finds(value: Any) -> None:
    assert is_plain(value, LEAVES, KEYS) is is_plain_by_recursion(value)


def test_a_value_that_contains_itself_many_times_is_looked_at_quickly() -> None:
    value: list[Any] = []
    value.extend([value] * 1000)
    assert not is_plain(value, LEAVES, KEYS)
