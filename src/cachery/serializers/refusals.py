"""What a format says of a value that it cannot carry: what is wrong, where it stands, what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable, KeysView, ValuesView
from collections.abc import Set as AbstractSet

from cachery.exceptions import CacheSerializationError

__all__ = ["DEEPEST", "Refusal", "damaged", "key_step", "step_to", "too_deep", "type_name"]

DEEPEST = 200
"""How many levels a value may be nested; one that contains itself has more."""

_STEPS_SHOWN = 8
_LETTERS_SHOWN = 40


class Refusal(Exception):  # noqa: N818 - the error is made of it, when all is known
    """A value that cannot be carried was met. ``claim`` continues the sentence that begins with where it stands.

    Whoever it passes on its way out adds, by ``within``, the step that led to the value.

    >>> refusal = Refusal({1}, "is a set", 'write serializer="pickle"')
    >>> refusal.within("[3]"), refusal.within(key_step("a"))
    (None, None)
    >>> str(refusal.error())
    'value["a"][3] is a set: write serializer="pickle"'
    """

    def __init__(self, value: object, claim: str, advice: str) -> None:
        super().__init__(claim)
        self.claim = claim
        self.advice = advice
        self.value_type = type_name(type(value))
        self.steps: list[str] = []

    def within(self, step: str) -> None:
        """Note that the value, or what contains it, was found by ``step``: ``[3]`` or the like."""
        self.steps.append(step)

    def error(self) -> CacheSerializationError:
        """Return the error to raise."""
        steps = self.steps[::-1]
        shown = steps if len(steps) <= _STEPS_SHOWN else [*steps[:_STEPS_SHOWN], "..."]
        path = "value" + "".join(shown)
        return CacheSerializationError(f"{path} {self.claim}: {self.advice}", value_type=self.value_type, path=path)


def type_name(kind: type) -> str:
    """Return the name of ``kind`` as one would import it.

    >>> type_name(set), type_name(Refusal)
    ('set', 'cachery.serializers.refusals.Refusal')
    """
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def key_step(key: object) -> str:
    """Return the step to what stands under ``key``; code of a user, such as a ``__repr__``, is not asked.

    >>> key_step("a"), key_step(3), key_step((1, 2))
    ('["a"]', '[3]', '[<tuple>]')
    """
    if type(key) is str:
        text = json.dumps(key)
        return f"[{text}]" if len(text) <= _LETTERS_SHOWN else f'[{text[:_LETTERS_SHOWN]}..."]'
    if type(key) in {bool, float, type(None)} or (type(key) is int and key.bit_length() <= _LETTERS_SHOWN):
        return f"[{key!r}]"
    return f"[<{type(key).__name__}>]"


def step_to(member: object, members: Iterable[object]) -> str:
    """Return the step to ``member``, one of ``members``: a sequence, a set, or the keys or values of a dict.

    >>> step_to(2, [1, 2]), step_to(2, {"a": 2}.values()), step_to(2, {2: "a"}.keys()), step_to(2, {1, 2})
    ('[1]', '["a"]', '{key}', '{member}')
    """
    if isinstance(members, ValuesView):
        keys = [key for key, value in members.mapping.items() if value is member]  # type: ignore[attr-defined] # of a dict
        return key_step(keys[0]) if keys else "[?]"
    if isinstance(members, AbstractSet):
        return "{key}" if isinstance(members, KeysView) else "{member}"
    return f"[{next((place for place, other in enumerate(members) if other is member), '?')}]"


def too_deep(value: object) -> Refusal:
    """Return the refusal of a value that has no end, or too many levels."""
    claim = f"contains itself, or is nested deeper than {DEEPEST} levels"
    return Refusal(value, claim, 'store it in parts, or write serializer="pickle"')


def damaged(label: str, error: Exception) -> CacheSerializationError:
    """Return the error to raise for bytes that are no ``label``, which ``error`` found out.

    >>> str(damaged("JSON", ValueError("no value")))
    'these bytes cannot be read as JSON: ValueError: no value'
    """
    return CacheSerializationError(f"these bytes cannot be read as {label}: {type(error).__name__}: {error}")
