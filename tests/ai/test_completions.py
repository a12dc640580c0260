"""Calls to models, kept: equal requests share one call, and only complete replies stay."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator
from functools import partial, wraps
from typing import Any

import pytest
from pydantic import BaseModel
from tests.ai.conftest import Make

from cachery import CacheValueError
from cachery.ai import AIResponseCache, why_incomplete

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-5-2026-01-01",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "web_search_call", "status": "completed"},
        {"type": "message", "status": "completed", "content": [{"type": "output_text", "text": "4"}]},
    ],
    "usage": {"input_tokens": 20, "output_tokens": 5},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "content": [
        {"type": "server_tool_use", "id": "s1", "name": "web_search"},
        {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "url": "u"}]},
        {"type": "text", "text": "4"},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 7},
}
EMBEDDINGS = {
    "object": "list",
    "data": [{"object": "embedding", "embedding": [0.1, 0.2]}],
    "usage": {"prompt_tokens": 2},
}
REPLIES = {"chat": CHAT, "response": RESPONSE, "message": MESSAGE, "embeddings": EMBEDDINGS}
REQUEST: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "2 + 2?"}], "temperature": 0}


def with_change(reply: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    changed: Any = copy.deepcopy(reply)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = to
    result: dict[str, Any] = changed
    return result


INCOMPLETE = {
    "cut off": with_change(CHAT, "choices", 0, "finish_reason", to="length"),
    "filtered": with_change(CHAT, "choices", 0, "finish_reason", to="content_filter"),
    "unfinished": with_change(CHAT, "choices", 0, "finish_reason", to=None),
    "refused": with_change(CHAT, "choices", 0, "message", "refusal", to="I cannot."),
    "one of two cut off": with_change(
        CHAT,
        "choices",
        to=[CHAT["choices"][0], {"finish_reason": "length"}],  # type: ignore[index]
    ),
    "without choices": with_change(CHAT, "choices", to=[]),
    "failed": with_change(CHAT, "error", to={"message": "overloaded"}),
    "response cut off": with_change(RESPONSE, "status", to="incomplete"),
    "response failed": with_change(RESPONSE, "status", to="failed"),
    "response cancelled": with_change(RESPONSE, "status", to="cancelled"),
    "response under way": with_change(RESPONSE, "status", to="in_progress"),
    "response with an error": with_change(RESPONSE, "error", to={"code": "server_error"}),
    "response incomplete": with_change(RESPONSE, "incomplete_details", to={"reason": "max_output_tokens"}),
    "response refused": with_change(RESPONSE, "output", 2, "content", to=[{"type": "refusal", "refusal": "No."}]),
    "response with a failed tool": with_change(RESPONSE, "output", 1, "status", to="failed"),
    "response with a tool's error": with_change(RESPONSE, "output", 1, "error", to="timeout"),
    "message cut off": with_change(MESSAGE, "stop_reason", to="max_tokens"),
    "message beyond the window": with_change(MESSAGE, "stop_reason", to="model_context_window_exceeded"),
    "message refused": with_change(MESSAGE, "stop_reason", to="refusal"),
    "message paused": with_change(MESSAGE, "stop_reason", to="pause_turn"),
    "message unfinished": with_change(MESSAGE, "stop_reason", to=None),
    "message with a failed tool": with_change(
        MESSAGE, "content", 1, "content", to={"type": "web_search_tool_result_error", "error_code": "unavailable"}
    ),
    "message with a tool's error": with_change(MESSAGE, "content", 1, "is_error", to=True),
    "an error": {"type": "error", "error": {"type": "overloaded_error"}},
    "no embedding": with_change(EMBEDDINGS, "data", to=[{"embedding": []}]),
    "failed in part": with_change(CHAT, "choices", 0, "error", to={"code": 502}),
    "with an empty choice": with_change(CHAT, "choices", to=[CHAT["choices"][0], None]),  # type: ignore[index]
    "ended oddly": with_change(CHAT, "choices", 0, "finish_reason", to=[]),
    "response without output": with_change(RESPONSE, "output", to=[]),
    "message ended oddly": with_change(MESSAGE, "stop_reason", to={}),
    "one embedding of two": with_change(EMBEDDINGS, "data", to=[{"embedding": [1.0]}, None]),
    "unknown": {"text": "4"},
    "no mapping": "4",
}
COMPLETE = {
    **REPLIES,
    "tool calls": with_change(CHAT, "choices", 0, "finish_reason", to="tool_calls"),
    "function call": with_change(CHAT, "choices", 0, "finish_reason", to="function_call"),
    "tool use": with_change(MESSAGE, "stop_reason", to="tool_use"),
    "stop sequence": with_change(MESSAGE, "stop_reason", to="stop_sequence"),
}


class Model:
    """Answers ``reply`` and counts."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.calls: list[Any] = []

    async def __call__(self, request: Any) -> Any:
        self.calls.append(request)
        await asyncio.sleep(0)
        return self.reply


@pytest.mark.parametrize("name", COMPLETE)
def test_a_complete_reply_is_kept(make: Make, name: str) -> None:
    async def main() -> None:
        model = Model(COMPLETE[name])
        async with make(scope="public") as cache:
            for _ in range(3):
                assert await cache.cached_completion(REQUEST, model) == COMPLETE[name]
        assert len(model.calls) == 1
        assert why_incomplete(COMPLETE[name]) is None

    asyncio.run(main())


@pytest.mark.parametrize("name", INCOMPLETE)
def test_an_incomplete_reply_is_given_and_not_kept(name: str) -> None:
    async def main() -> None:
        model = Model(INCOMPLETE[name])
        async with AIResponseCache(None) as cache:
            for _ in range(2):
                assert await cache.cached_completion(REQUEST, model) == INCOMPLETE[name]
            assert cache.stats.writes == 0
        assert len(model.calls) == 2
        assert why_incomplete(INCOMPLETE[name])

    asyncio.run(main())


def test_an_unknown_form_is_said_once_and_may_be_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        model = Model({"text": "4"})
        async with AIResponseCache(None) as cache:
            with caplog.at_level(logging.WARNING, "cachery.ai"):
                for _ in range(3):
                    await cache.cached_completion(REQUEST, model)
            assert len(caplog.records) == 1
            assert "is_complete=" in caplog.text
            for _ in range(3):
                await cache.cached_completion(REQUEST, model, is_complete=lambda reply: reply["text"] == "4")
            assert len(model.calls) == 4
            for _ in range(2):
                await cache.cached_completion(REQUEST, model, operation="other", is_complete=lambda _: False)
            assert len(model.calls) == 6

    asyncio.run(main())


def test_fifty_equal_requests_make_one_call(make: Make) -> None:
    async def main() -> None:
        model = Model(CHAT)
        async with make(scope="public") as cache:
            asked = [cache.cached_completion(dict(reversed(REQUEST.items())), model) for _ in range(50)]
            replies = await asyncio.gather(*asked)
            assert replies == [CHAT] * 50
            replies[0]["choices"].clear()
            assert replies[1] == CHAT
            assert len(model.calls) == 1
            rows = cache.savings()
            assert [(row.model, row.operation, row.scope, row.calls) for row in rows] == [
                ("gpt-5", "completion", "public", 49)
            ]
            assert (rows[0].input_tokens, rows[0].output_tokens) == (49 * 12, 49 * 3)

    asyncio.run(main())


@pytest.mark.parametrize(("name", "tokens"), [("chat", (12, 3)), ("response", (20, 5)), ("message", (105, 7))])
def test_tokens_and_seconds_saved(name: str, tokens: tuple[int, int]) -> None:
    async def main() -> None:
        async with AIResponseCache(None) as cache:
            for scope in ("ada", "ada", "grace", "grace", "grace"):
                await cache.cached_completion(REQUEST, Model(REPLIES[name]), scope=scope, operation="chat")
            rows = {row.scope: row for row in cache.savings()}
            assert {scope: row.calls for scope, row in rows.items()} == {"ada": 1, "grace": 2}
            assert (rows["grace"].input_tokens, rows["grace"].output_tokens) == (2 * tokens[0], 2 * tokens[1])
            assert 0 <= rows["ada"].seconds < 10

    asyncio.run(main())


def test_what_one_tenant_was_told_no_other_hears(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for tenant in ("ada", "grace"):
                model = Model(with_change(CHAT, "id", to=tenant))
                for _ in range(2):
                    assert (await cache.cached_completion(REQUEST, model, scope=tenant))["id"] == tenant

    asyncio.run(main())


async def chunks() -> AsyncIterator[str]:
    for chunk in ("2", "+", "2"):
        yield chunk


@pytest.mark.parametrize(
    "fields", [{"stream": True}, {"background": True}, {"conversation": "conv_1"}], ids=["stream", "background", "talk"]
)
def test_what_cannot_be_kept_is_passed_on(fields: dict[str, Any]) -> None:
    async def main() -> None:
        events: list[Any] = []
        async with AIResponseCache(None) as cache:
            cache.subscribe(events.append)
            for _ in range(2):
                stream = await cache.cached_completion({**REQUEST, **fields}, lambda _: chunks())
                assert [chunk async for chunk in stream] == ["2", "+", "2"]
            assert [event.outcome for event in events] == ["passed", "passed"]

    asyncio.run(main())


def test_a_refresh_asks_anew_and_keeps_the_new_reply(make: Make) -> None:
    async def main() -> None:
        async with make(scope="public") as cache:
            await cache.cached_completion(REQUEST, Model(CHAT))
            newer = with_change(CHAT, "id", to="newer")
            assert await cache.cached_completion(REQUEST, Model(newer), refresh=True) == newer
            assert await cache.cached_completion(REQUEST, Model(CHAT)) == newer

    asyncio.run(main())


def test_a_model_is_forgotten(make: Make) -> None:
    async def main() -> None:
        async with make(scope="public") as cache:
            for name in ("org/model-1", "org/model-10", "model*"):
                await cache.cached_completion({**REQUEST, "model": name}, Model(CHAT))
            assert await cache.invalidate_by_model("org/model-1") == 1
            assert await cache.invalidate_by_model("model*") == 1
            assert await cache.invalidate_by_model("org/model-10") == 1

    asyncio.run(main())


def test_a_call_that_fails_is_not_kept(make: Make) -> None:
    async def fail(_: Any) -> None:
        raise ConnectionError("overloaded")

    async def main() -> None:
        async with make(scope="public") as cache:
            with pytest.raises(ConnectionError, match="overloaded"):
                await cache.cached_completion(REQUEST, fail)
            assert await cache.cached_completion(REQUEST, Model(CHAT)) == CHAT

    asyncio.run(main())


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class Completion(BaseModel):
    id: str
    choices: list[dict[str, Any]]
    usage: Usage | None = None


def completion() -> Completion:
    return Completion.model_validate({name: CHAT[name] for name in ("id", "choices")} | {"usage": CHAT["usage"]})


class Client:
    """A client as those of providers are: methods whose parameters are given by name."""

    base_url: str

    def __init__(self) -> None:
        self.calls = 0

    async def create(self, *, model: str, messages: list[Any], temperature: float = 1.0) -> Completion:
        self.calls += 1
        assert (model, messages, temperature) == ("gpt-5", REQUEST["messages"], 0)
        return completion()

    @wraps(create)
    def create_checked(self, *args: Any, **kwargs: Any) -> Any:
        return self.create(*args, **kwargs)


def test_a_method_of_a_client_becomes_one_that_keeps(make: Make) -> None:
    async def main() -> None:
        client = Client()
        async with make(scope="public") as cache:
            create = cache.completions(client.create)
            for _ in range(3):
                reply = await create(**REQUEST)
                assert (type(reply), reply.id) == (Completion, "chatcmpl-1")
            assert client.calls == 1
            checked = await cache.cached_completion(REQUEST, client.create_checked, response_type=Completion)
            assert checked.id == "chatcmpl-1"
            plain = await cache.cached_completion(REQUEST, client.create)
            assert plain["choices"] == CHAT["choices"]
            assert client.calls == 2

    asyncio.run(main())


def test_functions_and_clients_never_share_replies() -> None:
    async def main() -> None:
        async with AIResponseCache(None) as cache:

            @cache.completions
            async def summarize(*, text: str) -> dict[str, Any]:
                return with_change(CHAT, "id", to=f"summary of {text}")

            @cache.completions
            async def translate(*, text: str) -> dict[str, Any]:
                return with_change(CHAT, "id", to=f"translation of {text}")

            for _ in range(2):
                assert (await summarize(text="tea"))["id"] == "summary of tea"
                assert (await translate(text="tea"))["id"] == "translation of tea"
            one, other = Client(), Client()
            one.base_url, other.base_url = "https://eu/v1", "http://localhost/v1"
            for client in (one, other):
                await cache.cached_completion(REQUEST, client.create)
                await cache.completions(client.create)(**REQUEST)
            assert (one.calls, other.calls) == (2, 2)

    asyncio.run(main())


def test_a_decorated_function_is_called_as_before() -> None:
    async def main() -> None:
        calls: list[Any] = []
        async with AIResponseCache(None) as cache:

            @cache.completions(operation="chat", ttl="1h", scope="ada")
            async def ask(question: str, *, model: str = "small-1", **more: Any) -> dict[str, Any]:
                """Ask the model."""
                calls.append((question, model, more))
                return CHAT

            assert ask.__doc__ == "Ask the model."
            assert await ask("2 + 2?") == await ask(question="2 + 2?", model="small-1") == CHAT
            assert calls == [("2 + 2?", "small-1", {})]
            await ask("2 + 2?", seed=7)
            assert calls[1:] == [("2 + 2?", "small-1", {"seed": 7})]
            assert cache.savings()[0].scope == "ada"
            assert await ask.refresh("2 + 2?") == CHAT
            assert len(calls) == 3
            assert await ask.invalidate("2 + 2?")
            assert not await ask.invalidate("2 + 2?")
            assert "op:chat" in ask.key("2 + 2?")
            assert await cache.invalidate_by_model("small-1") == 1

    asyncio.run(main())


def test_a_method_may_be_decorated_and_a_blocking_client_be_kept() -> None:
    cache = AIResponseCache(None)

    class Service:
        calls = 0

        @cache.completions
        async def ask(self, question: str) -> dict[str, Any]:
            self.calls += 1
            return with_change(CHAT, "id", to=question)

    class Blocking:
        calls = 0

        def create(self, *, model: str) -> dict[str, Any]:
            self.calls += 1
            return CHAT

    async def main() -> None:
        service, blocking = Service(), Blocking()
        for _ in range(2):
            assert (await service.ask("why?"))["id"] == "why?"
        assert service.calls == 1
        a_thread: Any = asyncio.to_thread
        on_a_thread: Any = partial(a_thread, blocking.create)
        create = cache.completions(on_a_thread)
        for _ in range(2):
            assert await create(model="m") == CHAT
            await cache.cached_completion({"model": "m"}, on_a_thread)
        assert blocking.calls == 2
        await cache.close()

    asyncio.run(main())


def test_what_cannot_be_kept_is_said_where_it_is_written() -> None:
    cache = AIResponseCache(None)

    async def stream() -> AsyncIterator[str]:
        yield "4"

    wrong: list[dict[str, Any]] = [
        {"tll": "1d"},
        {"ttl": "soon"},
        {"response_type": "Completion"},
        {"is_complete": True},
        {"operation": "a|b"},
        {"scope": 42},
        {"stale_ttl": -1},
        {"refresh_ahead": 0.5},
    ]
    for options in wrong:
        with pytest.raises(CacheValueError):
            cache.completions(**options)
    calls: list[Any] = [stream, CHAT, "ask"]
    for call in calls:
        with pytest.raises(CacheValueError):
            cache.completions(call)


def test_an_answer_that_takes_time_to_judge() -> None:
    async def is_complete(reply: Any) -> bool:
        await asyncio.sleep(0)
        return bool(reply["choices"][0]["finish_reason"] == "stop")

    async def main() -> None:
        async with AIResponseCache(None) as cache:
            model = Model(INCOMPLETE["cut off"])
            for _ in range(2):
                await cache.cached_completion(REQUEST, model, is_complete=is_complete)
                await cache.get_or_compute("text", "qa", None, lambda: INCOMPLETE["cut off"], is_complete=is_complete)
            assert len(model.calls) == 2
            assert cache.stats.writes == 0
            await cache.get_or_compute("text", "qa", None, lambda: INCOMPLETE["cut off"])
            await cache.get_or_compute("text", "qa", None, lambda: None)
            assert cache.stats.writes == 0

    asyncio.run(main())


def test_a_reply_that_cannot_be_kept_is_given_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    thing = object()

    async def main() -> None:
        async with AIResponseCache(None) as cache:
            for _ in range(2):
                assert await cache.cached_completion(REQUEST, lambda _: thing) is thing
                assert await cache.cached_completion(REQUEST, lambda _: {"a": {1}}, is_complete=bool) == {"a": {1}}
            asked = [cache.cached_completion(REQUEST, slow) for _ in range(3)]
            assert await asyncio.gather(*asked) == [thing] * 3
            assert await cache.cached_completion(REQUEST, lambda _: CHAT) == CHAT
        assert len(caplog.records) == 1

    async def slow(_: Any) -> Any:
        await asyncio.sleep(0)
        return thing

    asyncio.run(main())


class Newer(BaseModel):
    id: str
    new_field: str


def test_a_reply_that_is_no_object_again_is_not_kept_or_asked_for_anew() -> None:
    async def main() -> None:
        async with AIResponseCache(None) as cache:
            model = Model(CHAT)
            await cache.cached_completion(REQUEST, model)
            with pytest.raises(ValueError, match="new_field"):
                await cache.cached_completion(REQUEST, model, response_type=Newer)
            assert len(model.calls) == 2
            model.reply = {**CHAT, "new_field": "new"}
            newer = await cache.cached_completion(REQUEST, model, response_type=Newer)
            assert newer.new_field == "new"
            assert len(model.calls) == 3
            assert (await cache.cached_completion(REQUEST, model, response_type=Newer)).new_field == "new"
            assert len(model.calls) == 3

    asyncio.run(main())


def test_who_called_is_given_the_very_object() -> None:
    async def main() -> None:
        made = completion()
        async with AIResponseCache(None) as cache:
            ways = [await cache.cached_completion(REQUEST, lambda: made, response_type=Completion) for _ in range(2)]
            assert [way is made for way in ways] == [True, False]
            assert ways[0] == ways[1]

    asyncio.run(main())


def test_a_refresh_that_fails_or_is_cut_off_leaves_what_is_there(make: Make) -> None:
    async def fail(_: Any) -> None:
        raise ConnectionError("overloaded")

    async def main() -> None:
        async with make(scope="public") as cache:
            await cache.cached_completion(REQUEST, Model(CHAT))
            with pytest.raises(ConnectionError):
                await cache.cached_completion(REQUEST, fail, refresh=True)
            cut_off = INCOMPLETE["cut off"]
            assert await cache.cached_completion(REQUEST, Model(cut_off), refresh=True) == cut_off
            assert await cache.cached_completion(REQUEST, fail) == CHAT

    asyncio.run(main())


def test_calls_that_fail_are_counted_and_told() -> None:
    async def fail(_: Any) -> None:
        await asyncio.sleep(0)
        raise ConnectionError("overloaded")

    async def main() -> None:
        events: list[Any] = []
        async with AIResponseCache(None) as cache:
            cache.subscribe(events.append)
            asked = [cache.cached_completion(REQUEST, fail) for _ in range(3)]
            await asyncio.gather(*asked, return_exceptions=True)
            numbers = cache.stats
            assert (numbers.misses, numbers.load_failure, numbers.coalesced) == (1, 1, 2)
            assert [(event.outcome, event.error) for event in events] == [("failed", "ConnectionError")] * 3

    asyncio.run(main())


def test_requests_of_any_size(make: Make) -> None:
    async def main() -> None:
        async with make(scope="public") as cache:
            large = {**REQUEST, "messages": [{"role": "user", "content": "x" * 2_000_000}]}
            other = {**REQUEST, "messages": [{"role": "user", "content": "x" * 1_999_999 + "y"}]}
            assert await cache.cached_completion(large, Model(CHAT)) == CHAT
            assert await cache.cached_completion(other, Model(MESSAGE)) == MESSAGE
            assert await cache.cached_completion(json.loads(json.dumps(large)), Model(MESSAGE)) == CHAT

    asyncio.run(main())
