"""What of a request to a model is part of its key: everything, but for what is listed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from cachery import CacheKeyError, CacheValueError
from cachery.ai import IRRELEVANT_FIELDS, AIResponseCache, CacheKeyGenerator
from cachery.ai.requests import model_request

CHAT: dict[str, Any] = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Who?"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "tool_choice": "auto",
    "temperature": 0.2,
    "top_p": 1,
    "n": 1,
    "seed": 7,
    "stop": ["END"],
    "max_completion_tokens": 100,
    "logit_bias": {"50256": -100},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True}},
    "a_field_of_tomorrow": {"deep": [1, {"er": None}]},
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-5",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "Who?"}]}],
    "instructions": "Be brief.",
    "tools": [{"type": "web_search"}],
    "reasoning": {"effort": "low"},
    "previous_response_id": "resp_1",
    "max_output_tokens": 100,
    "store": False,
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "1", "is_error": False}]},
    ],
    "max_tokens": 100,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "stop_sequences": ["END"],
    "temperature": 0.2,
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
}
SHAPES = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}


def key_of(request: Any) -> str:
    wanted = model_request(request)
    return CacheKeyGenerator().generate_request_key(wanted.content, "completion", wanted.model, scope="public")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in ``value``."""
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def holder_of(request: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        request = request[step]
    return request


CHANGES = ["removed", "nulled", "wrapped", "renamed"]


def changed(request: Any, path: tuple[Any, ...], how: str) -> Any:
    request = copy.deepcopy(request)
    holder, last = holder_of(request, path), path[-1]
    if how == "removed":
        del holder[last]
    elif how == "nulled":
        holder[last] = None if holder[last] is not None else 0
    elif how == "wrapped":
        holder[last] = [holder[last]]
    elif isinstance(holder, dict):
        holder[f"{last}_"] = holder.pop(last)
    else:
        holder.append(holder[last])
    return request


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_change_of_any_field_anywhere_is_another_request(shape: str, how: str) -> None:
    request = SHAPES[shape]
    original, ways = key_of(request), list(places(request))
    assert len(ways) > 15
    assert not [path for path in ways if key_of(changed(request, path, how)) == original]


def shuffled(value: Any, chance: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        chance.shuffle(items)
        return {key: shuffled(member, chance) for key, member in items}
    return [shuffled(member, chance) for member in value] if isinstance(value, list) else value


@given(st.sampled_from(list(SHAPES)), st.randoms(use_true_random=False))
def test_the_order_of_fields_is_no_matter(shape: str, chance: Any) -> None:
    request = SHAPES[shape]
    assert key_of(json.loads(json.dumps(shuffled(request, chance)))) == key_of(request)


@pytest.mark.parametrize("field", sorted(IRRELEVANT_FIELDS))
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_listed_does_not_count(shape: str, field: str) -> None:
    assert key_of({**SHAPES[shape], field: "anything"}) == key_of(SHAPES[shape])


def test_a_listed_field_counts_deeper_down() -> None:
    message = {"role": "user", "content": "Who?"}
    assert key_of({**CHAT, "messages": [{**message, "user": "ada"}]}) != key_of({**CHAT, "messages": [message]})


class Message(BaseModel):
    role: str = "user"
    content: str


class SystemMessage(Message):
    role: str = "system"


class Request(BaseModel):
    model: str = "m"
    messages: list[Message]
    key: SecretStr | None = None
    hidden: str = Field(default="a", exclude=True)


@dataclass
class Plain:
    content: Any


class NotGiven:
    """What a client writes for a field that is left out."""

    def __bool__(self) -> bool:
        return False


class Omit:
    """A class of a user, which only bears the name of one."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __cache_key__(self) -> str:
        return self.word


class Pair(NamedTuple):
    content: Any


class Other(NamedTuple):
    content: Any


class Prompt(StrEnum):
    BRIEF = "Sum up in one line"


class Wide(BaseModel):
    width: int


class Wider(BaseModel):
    width: int
    height: int


class Typed(TypedDict):
    width: int


def look_up(name: str) -> str:
    """Look up a name."""
    return name


DIFFERENT: list[Any] = [
    None,
    True,
    1,
    1.0,
    "1",
    b"1",
    Decimal(1),
    Message(content="1"),
    SystemMessage(content="1"),
    {"role": "user", "content": "1"},
    Plain("1"),
    Plain(1),
    Pair("1"),
    Other("1"),
    ["1"],
    [["1"]],
    {"1"},
    Omit("1"),
    Omit("2"),
    Wide,
    Wider,
    list[Wide],
    list[Wider],
    Typed,
    look_up,
    {1: "a"},
    {"1": "a"},
]


def test_nothing_is_taken_for_anything_else() -> None:
    assert len({key_of({"model": "m", "input": value}) for value in DIFFERENT}) == len(DIFFERENT)


def test_every_field_of_an_object_counts_also_what_it_would_not_write() -> None:
    message = Message(content="Who?")
    requests = [
        Request(messages=[message]),
        Request(messages=[SystemMessage(content="Who?")]),
        Request(messages=[message], hidden="b"),
        Request(messages=[Message(content="Who?", role="assistant")]),
        {"model": "m", "messages": [message]},
    ]
    assert len({key_of(request) for request in requests}) == len(requests)
    assert key_of(Request(messages=[message])) == key_of(Request(model="m", messages=[Message(content="Who?")]))
    with pytest.raises(CacheKeyError, match="SecretStr"):
        key_of(Request(messages=[message], key=SecretStr("a")))


def test_the_same_in_other_clothes_is_the_same() -> None:
    plain = {"model": "m", "messages": ["Sum up in one line"]}
    ways = [
        {"model": "m", "messages": (Prompt.BRIEF,)},
        {"model": "m", "messages": ["Sum up in one line"], "temperature": NotGiven()},
        MappingProxyType(plain),
    ]
    assert {key_of(way) for way in ways} == {key_of(plain)}


def test_a_stream_is_known_by_a_default_and_in_the_body_too() -> None:
    class Streaming(BaseModel):
        stream: bool = True

    assert model_request(Streaming()).reason
    assert model_request({"model": "m", "extra_body": {"stream": True}}).reason
    assert model_request({"model": "m", "conversation": [{"role": "user"}]}).reason is None


def test_only_requests_of_providers_have_fields_that_do_not_count() -> None:
    assert key_of({"system": "s", "user": "Who was Ada?"}) != key_of({"system": "s", "user": "Who was Bob?"})
    with pytest.raises(CacheValueError, match="several names"):
        AIResponseCache(None, irrelevant_fields="user")


@pytest.mark.parametrize("request_", [None, "text", 5, [CHAT]])
def test_what_is_no_request(request_: Any) -> None:
    with pytest.raises(CacheValueError, match="request"):
        model_request(request_)


def test_what_has_no_place_in_a_key() -> None:
    endless: dict[str, Any] = {"model": "m"}
    endless["again"] = endless
    with pytest.raises(CacheKeyError):
        key_of(endless)
    with pytest.raises(CacheKeyError):
        key_of({"model": "m", "callback": lambda: None})


@pytest.mark.parametrize(
    "fields", [{"stream": True}, {"background": True}, {"conversation": "conv_1"}, {"conversation": {"id": "conv_1"}}]
)
def test_what_is_never_kept(fields: dict[str, Any]) -> None:
    assert model_request({**RESPONSES, **fields}).reason
    assert model_request({**RESPONSES, "stream": False}).reason is None
