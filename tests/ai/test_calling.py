"""How a call to a model is made, and what becomes of its reply."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from cachery import CacheValueError
from cachery.ai import AIResponseCache
from cachery.ai.calling import answer_type, caller_of, plain_reply, rebuilt
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
    assert caller_of(lambda: 5)(REQUEST) == 5
    assert caller_of(dict)(REQUEST) == REQUEST  # a builtin that does not tell
    with pytest.raises(CacheValueError, match="call"):
        caller_of("call")  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="request"):
        caller_of(by_name)(["not", "a", "mapping"])


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


def test_of_very_many_kinds_further_scopes_count_together() -> None:
    ledger = Ledger(most=2)
    for scope in ("ada", "grace", "linus", "ken", "ada"):
        ledger.add("m", "chat", scope, tokens=(1, 1), seconds=1.0)
    assert {row.scope: row.calls for row in ledger.rows()} == {"ada": 2, "grace": 1, "(others)": 2}


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
