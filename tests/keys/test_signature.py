"""A call is bound as the function itself would bind it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery.exceptions import CacheValueError
from cachery.keys.signature import CallSignature


def plain(a: object, b: object = 2) -> dict[str, object]:
    return {"a": a, "b": b}


def strict(a: object, /, b: object, c: object = 3, *, d: object, e: object = 5) -> dict[str, object]:
    return {"a": a, "b": b, "c": c, "d": d, "e": e}


def loose(a: object, /, b: object = 2, *rest: object, c: object = 3, **more: object) -> dict[str, object]:
    return {"a": a, "b": b, "rest": rest, "c": c, "more": more}


def nothing() -> dict[str, object]:
    return {}


class Loader:
    def __call__(self, a: object, *, b: object = 2) -> dict[str, object]:
        return {"a": a, "b": b}

    def method(self, a: object) -> dict[str, object]:
        return {"a": a}

    @classmethod
    def make(cls, a: object) -> dict[str, object]:
        return {"a": a}


CALLABLES: list[Callable[..., dict[str, object]]] = [
    plain,
    strict,
    loose,
    nothing,
    Loader(),
    Loader().method,
    Loader.make,
    functools.partial(plain, b=7),
    functools.partial(plain, b=7, a=6),
]

calls = st.tuples(
    st.lists(st.integers(0, 9), max_size=6).map(tuple),
    st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "self"]), st.integers(0, 9), max_size=4),
)


@given(st.sampled_from(CALLABLES), calls)
def test_it_binds_what_the_function_is_given_and_refuses_what_it_refuses(
    function: Callable[..., dict[str, object]], call: tuple[tuple[object, ...], dict[str, object]]
) -> None:
    signature = CallSignature(function)
    args, kwargs = call
    try:
        expected = function(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError, match=r"\w+\(\) "):
            signature.bind(args, kwargs)
    else:
        bound = signature.bind(args, kwargs)
        assert bound == expected
        assert tuple(bound) == signature.names


def test_five_spellings_of_one_call_are_one() -> None:
    bind = CallSignature(plain).bind
    spellings: list[tuple[tuple[object, ...], dict[str, object]]] = [
        ((1,), {}),
        ((1, 2), {}),
        ((1,), {"b": 2}),
        ((), {"a": 1, "b": 2}),
        ((), {"b": 2, "a": 1}),
    ]
    assert [list(bind(*spelling).items()) for spelling in spellings] == [[("a", 1), ("b", 2)]] * 5


@pytest.mark.parametrize(
    ("function", "names", "first"),
    [
        (plain, ("a", "b"), "a"),
        (loose, ("a", "b", "rest", "c", "more"), "a"),
        (nothing, (), None),
        (lambda *rest: rest, ("rest",), None),
        (lambda *, only: only, ("only",), None),
        (Loader.method, ("self", "a"), "self"),
        (Loader().method, ("a",), "a"),
        (functools.partial(plain, 1), ("b",), "b"),
    ],
)
def test_the_names_of_the_parameters(function: Callable[..., object], names: tuple[str, ...], first: str) -> None:
    signature = CallSignature(function)
    assert (signature.names, signature.first) == (names, first)


def test_a_wrapper_is_read_as_what_it_wraps() -> None:
    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> object:
        return plain(*args, **kwargs)

    assert CallSignature(wrapper).bind((1,), {}) == {"a": 1, "b": 2}


def test_a_refused_call_names_the_function() -> None:
    with pytest.raises(TypeError, match=r"^plain\(\) missing a required argument: 'a'$"):
        CallSignature(plain).bind((), {})
    with pytest.raises(TypeError, match=r"^Loader\.method\(\) got an unexpected keyword argument 'b'$"):
        CallSignature(Loader().method).bind((1,), {"b": 2})


def test_what_was_bound_belongs_to_the_caller() -> None:
    signature = CallSignature(loose)
    keywords: dict[str, object] = {"x": 1}
    bound = signature.bind((1,), keywords)
    bound["b"] = "changed"
    keywords["y"] = 2
    assert signature.bind((1,), {}) == {"a": 1, "b": 2, "rest": (), "c": 3, "more": {}}
    assert bound["more"] == {"x": 1}


def test_a_value_is_never_compared() -> None:
    class Touchy:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    assert list(CallSignature(plain).bind((Touchy(),), {"b": Touchy()})) == ["a", "b"]


@pytest.mark.parametrize("function", [dict, "no function"])
def test_parameters_that_cannot_be_read_are_refused(function: Callable[..., object]) -> None:
    with pytest.raises(CacheValueError, match=r"cannot be read: .* key="):
        CallSignature(function)
