"""Exceptions that are kept in the place of a value, where msgpack carries values: those of Python itself.

Loading this module registers them. They are written as the name of their class and its arguments, and no other class
than one of ``builtins`` is looked up when they are read. What a program defines, pickle carries, under a secret.
"""

from __future__ import annotations

import builtins
from typing import Any

from cachery.engine.plan import Failure
from cachery.serializers.refusals import Refusal
from cachery.serializers.registered import register

__all__: list[str] = []


def _encoded(failure: Failure) -> list[Any]:
    kind = type(failure.error)
    if getattr(builtins, kind.__name__, None) is not kind:
        raise Refusal(
            failure.error,
            f"of type {kind.__qualname__} is no exception of Python's own",
            'write serializer="pickle", with a secret',
        )
    return [kind.__name__, *failure.error.args]


def _decoded(content: list[Any]) -> Failure:
    name, *arguments = content
    kind = getattr(builtins, name)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        raise TypeError(f"{name!r} is no exception")
    return Failure(kind(*arguments))


register(Failure, name="cachery.Failure", encode=_encoded, decode=_decoded)
