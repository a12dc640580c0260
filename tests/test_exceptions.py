"""The tree of errors: what is what, and what each carries."""

from __future__ import annotations

import copy
import pickle

import pytest

from cachery import exceptions
from cachery.exceptions import CacheError, CacheKeyError, CacheTimeoutError, CacheValueError

KINDS = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_carries_its_data_and_survives_pickling(kind: type[CacheError]) -> None:
    error = kind("it failed", cache_name="answers", backend="in_memory", key="", size=0, other=None)
    assert issubclass(kind, CacheError)
    for twin in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(twin) is kind
        assert str(twin) == "it failed"
        assert twin.context == {"cache_name": "answers", "backend": "in_memory", "key": "", "size": 0}
        assert twin.to_dict() == {
            "error_type": kind.__name__,
            "message": "it failed",
            "context": {"cache_name": "answers", "backend": "in_memory", "key": "", "size": 0},
        }


def test_some_are_also_what_python_calls_them() -> None:
    assert issubclass(CacheKeyError, KeyError)
    assert issubclass(CacheValueError, ValueError)
    assert issubclass(CacheTimeoutError, TimeoutError)
    assert str(CacheKeyError("plain words, not their repr")) == "plain words, not their repr"


def test_an_error_needs_no_words() -> None:
    assert str(CacheError()) == ""
    assert CacheError().context == {}
