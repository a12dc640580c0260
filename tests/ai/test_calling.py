"""How a call to a model is made, and what becomes of its reply."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel

from cachery import CacheValueError
from cachery.ai import AIResponseCache
from cachery.ai.calling import answer_type, caller_of, plain_reply, rebuilt, request_reader, source_of
from cachery.ai.savings import Ledger

REQUEST = {"model": "m", "messages": ["hi"]}


class Request(BaseModel):
    model: str
    messages: list[str]


class Reply(BaseModel):
    text: str


@dataclass
class Plain:
    text: str


def test_a_call_is_given_what_it_asks_for() -> None:
    def by_request(request: Any) -> Any:
        return request

    def by_name(*, model: str, messages: list[str]) -> Any:
        return model, messages

    def by_some_names(model: str, messages: Any = None, temperature: float = 1.0) -> Any:
        return model, messages, temperature

    def with_more(request: Any, verbose: bool = False) -> Any:  # noqa: FBT001, FBT002
        return request, verbose

    given = Request(model="m", messages=["hi"])
    assert caller_of(by_request)(REQUEST) is REQUEST
    assert caller_of(by_name)(REQUEST) == caller_of(by_name)(given) == ("m", ["hi"])
    assert caller_of(by_some_names)(REQUEST) == ("m", ["hi"], 1.0)
    assert caller_of(with_more)(REQUEST) == (REQUEST, False)
    assert caller_of(lambda *args, **kwargs: (args, kwargs))(REQUEST) == ((), REQUEST)
    assert caller_of(lambda **kwargs: kwargs)(REQUEST) == REQUEST
    assert caller_of(lambda: 5)(REQUEST) == 5
    assert caller_of(dict)(REQUEST) == REQUEST  # a builtin that does not tell
    with pytest.raises(CacheValueError, match="call"):
        caller_of("call")  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="request"):
        caller_of(by_name)(["not", "a", "mapping"])


def test_arguments_are_the_request() -> None:
    def ask(self: Any, question: str, *more: str, model: str = "m", **others: Any) -> None:
        pass

    assert request_reader(ask)((object(), "why?"), {}) == {"question": "why?", "model": "m"}
    assert request_reader(ask)((None, "a", "b"), {"x": 1}) == {"question": "a", "more": ("b",), "model": "m", "x": 1}
    assert request_reader(lambda request: request)((REQUEST,), {}) is REQUEST
    assert request_reader(lambda question: question)(("why?",), {}) == {"question": "why?"}
    assert request_reader(dict)((), {"a": 1}) == {"a": 1}
    with pytest.raises(TypeError, match="question"):
        request_reader(ask)((object(),), {})


class Resource:
    class _Client:
        base_url = "https://eu/v1"

    def __init__(self) -> None:
        self._client = self._Client()

    def create(self) -> None:
        """Ask."""


def test_what_tells_one_function_from_another() -> None:
    resource = Resource()
    name = f"{Resource.__module__}.Resource.create"
    assert source_of(resource.create, is_named=True) == [name, "https://eu/v1"]
    assert source_of(partial(asyncio.to_thread, resource.create), is_named=True) == [name, "https://eu/v1"]
    assert source_of(partial(resource.create), is_named=False) == ["https://eu/v1"]
    assert source_of(Request, is_named=True) == [f"{Request.__module__}.Request"]


def test_replies_are_plain_data_and_made_into_objects_again() -> None:
    assert plain_reply(Reply(text="4")) == plain_reply(Plain("4")) == {"text": "4"}
    assert rebuilt({"text": "4"}, Reply) == Reply(text="4")
    assert rebuilt({"text": "4"}, lambda reply: reply["text"]) == "4"
    assert rebuilt({"text": "4"}, None) == {"text": "4"}


def test_the_annotated_type_is_taken_where_it_can_be() -> None:
    async def ask() -> Reply:
        return Reply(text="4")

    async def plain() -> dict[str, Any]:
        return {}

    def unknown() -> NoSuchName:  # type: ignore[name-defined]  # noqa: F821
        return None

    assert answer_type(ask) is Reply
    assert answer_type(plain) is answer_type(unknown) is answer_type(len) is None


T = TypeVar("T")


class Parsed(BaseModel, Generic[T]):
    parsed: T | None = None


class Lenient(BaseModel):
    """A class as clients have them: made without a check, too."""

    text: str

    @classmethod
    def construct(cls, **values: Any) -> Any:  # type: ignore[override]
        return cls.model_construct(**values)


def test_of_a_union_the_one_class_is_taken_and_what_is_not_whole_is_refused() -> None:
    async def ask() -> Reply | dict[str, Any]:
        return {}

    async def parse() -> Parsed[T]:
        return Parsed()

    async def parse_any() -> Parsed[Any]:
        return Parsed()

    async def both() -> Reply | Lenient:
        return Reply(text="4")

    assert answer_type(ask) is Reply
    assert answer_type(both) is None
    for call in (parse, parse_any):
        with pytest.raises(CacheValueError, match=r"response_type=Parsed\[...\]"):
            answer_type(call)


def test_what_its_client_would_not_check_is_made_without_a_check() -> None:
    assert rebuilt({"text": 5}, Lenient).text == 5
    with pytest.raises(ValueError, match="text"):
        rebuilt({"text": 5}, Reply)


def test_of_very_many_kinds_further_ones_count_together() -> None:
    ledger = Ledger(most=2)
    for scope in ("ada", "grace", "linus", "ken", "ada"):
        ledger.add("m", "chat", scope, tokens=(1, 1), seconds=1.0)
    assert {(row.model, row.scope): row.calls for row in ledger.rows()} == {
        ("m", "ada"): 2,
        ("m", "grace"): 1,
        ("(others)", "(others)"): 2,
    }


def test_ten_thousand_tenants_never_meet() -> None:
    async def main() -> None:
        async with AIResponseCache(None, memory_cache_size=20_000) as cache:
            for number in range(10_000):
                told = await cache.get_or_compute("same", "qa", None, lambda n=number: n, scope=f"tenant:{number}")
                assert told == number
            for number in range(10_000):
                assert await cache.get_cached_response("same", "qa", scope=f"tenant:{number}") == number
            assert (cache.stats.hits, cache.stats.misses) == (10_000, 10_000)

    asyncio.run(main())
