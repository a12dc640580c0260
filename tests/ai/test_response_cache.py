"""``AIResponseCache``: answers to texts, in memory, on Redis, and with both."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.ai.conftest import Make, over_redis
from tests.backends.redis.ground import raw
from tests.servers.redis_servers import HOST, wait_until

from cachery import CacheClosedError, CacheKeyError, CacheSerializationError, CacheValueError
from cachery.ai import OPERATION_TTLS, AIResponseCache, CacheInterface, CachePerformanceMonitor
from cachery.events import Answered
from cachery.testing import FakeClock

ASKED: dict[str, Any] = {"text": "A document", "operation": "summarize", "options": {"max_length": 100}}
BRIEF = {"summary": "Brief", "score": 0.5, "parts": [1, None, {"a": True}]}


def test_the_example_of_the_llm_starter(make: Make) -> None:
    async def main() -> None:
        cache = make()
        await cache.connect()
        await cache.cache_response(
            text="Document to process",
            operation="summarize",
            options={"max_length": 100},
            response={"summary": "Brief summary"},
        )
        result = await cache.get_cached_response(
            text="Document to process", operation="summarize", options={"max_length": 100}
        )
        assert result is not None
        cached_at = datetime.fromisoformat(result.pop("cached_at"))
        assert datetime.now(UTC) - cached_at < timedelta(minutes=1)
        expected = {"cache_hit": True, "text_length": 19, "compression_used": False}
        assert result == {"summary": "Brief summary", **expected}
        await cache.close()

    asyncio.run(main())


def test_what_was_not_stored_is_not_there(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            await cache.cache_response(**ASKED, response=BRIEF, question="why?")
            others: list[dict[str, Any]] = [
                {**ASKED, "text": "A document."},
                {**ASKED, "operation": "sentiment"},
                {**ASKED, "options": {"max_length": "100"}},
                {**ASKED, "options": None},
                {**ASKED, "question": "why"},
                {**ASKED},
                {**ASKED, "question": "why?", "scope": "ada"},
            ]
            assert [await cache.get_cached_response(**other) for other in others] == [None] * len(others)
            assert await cache.get_cached_response(**ASKED, question="why?")

    asyncio.run(main())


def test_nothing_done_to_an_answer_reaches_the_cache(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            response = json.loads(json.dumps(BRIEF))
            await cache.cache_response(**ASKED, response=response)
            response["parts"].append("mine")
            for _ in range(3):
                answer = await cache.get_cached_response(**ASKED)
                assert {name: answer[name] for name in BRIEF} == BRIEF
                answer["parts"][2]["a"] = "mine too"
            computed = await cache.get_or_compute("t", "qa", {}, lambda: response, scope="public")
            computed["parts"].append("mine again")
            again = await cache.get_or_compute("t", "qa", {}, dict, scope="public")
            assert again["parts"] == response["parts"]

    asyncio.run(main())


def test_fields_of_the_response_itself_stay(make: Make) -> None:
    own = {"cached_at": "never", "cache_hit": "?", "text_length": -1, "compression_used": "no"}

    async def main() -> None:
        async with make() as cache:
            await cache.cache_response(**ASKED, response=own)
            assert await cache.get_cached_response(**ASKED) == own

    asyncio.run(main())


@pytest.mark.parametrize("response", ["text", 5, 1.5, None, True, ["a"], {}])
def test_a_response_may_be_any_plain_data(make: Make, response: Any) -> None:
    async def main() -> None:
        async with make() as cache:
            await cache.cache_response(**ASKED, response=response)
            answer = await cache.get_cached_response(**ASKED)
            assert answer == response or set(answer) == {"cached_at", "cache_hit", "text_length", "compression_used"}

    asyncio.run(main())


@pytest.mark.parametrize("response", [{"a": {1}}, {"a": object()}, {1: "a"}, {"a": float("nan")}, {"a": (1, 2)}])
def test_a_response_that_is_no_plain_data_is_refused_and_not_stored(make: Make, response: Any) -> None:
    async def main() -> None:
        async with make() as cache:
            with pytest.raises(CacheSerializationError):
                await cache.cache_response(**ASKED, response=response)
            with pytest.raises(CacheSerializationError):
                await cache.get_or_compute("A document", "qa", None, lambda: response, scope="public")
            assert await cache.get_cached_response(**ASKED) is None
            assert await cache.get_cached_response("A document", "qa", scope="public") is None

    asyncio.run(main())


def test_other_serializers_carry_more(make: Make) -> None:
    response = {"a": (1, 2), "b": {3}, "at": datetime(2026, 1, 1, tzinfo=UTC)}

    async def main() -> None:
        async with make(serializer="msgpack") as cache:
            await cache.cache_response(**ASKED, response=response)
            answer = await cache.get_cached_response(**ASKED)
            assert {name: answer[name] for name in response} == response

    asyncio.run(main())


@pytest.mark.parametrize(("length", "is_compressed"), [(10, False), (5000, True)])
@pytest.mark.parametrize("method", ["zlib", "zstd", "lz4"])
def test_large_responses_are_compressed_and_say_so(make: Make, length: int, is_compressed: bool, method: str) -> None:  # noqa: FBT001
    response = {"summary": "tea " * length}

    async def main() -> None:
        async with make(compression=method) as cache:
            await cache.cache_response(**ASKED, response=response)
            answer = await cache.get_cached_response(**ASKED)
            assert answer["summary"] == response["summary"]
            assert answer["compression_used"] is is_compressed
            ratios = cache.performance_monitor.compression_ratios
            assert [ratio.compressed_size < ratio.original_size / 10 for ratio in ratios] == [True] * is_compressed

    asyncio.run(main())


def test_what_does_not_become_smaller_is_not_called_compressed(make: Make) -> None:
    letters = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(2000))

    async def main() -> None:
        async with make(compression_level=0) as cache:
            await cache.cache_response(**ASKED, response={"summary": letters})
            answer = await cache.get_cached_response(**ASKED)
            assert (answer["summary"], answer["compression_used"]) == (letters, False)

    asyncio.run(main())


def test_a_very_large_response_is_compressed_beside_the_loop(make: Make) -> None:
    response = {"summary": "tea " * 300_000, "noise": [n * n % 997 for n in range(200_000)]}

    async def main() -> None:
        async with make(compression_level=1) as cache:
            await cache.cache_response(**ASKED, response=response)
            assert (await cache.get_cached_response(**ASKED))["noise"] == response["noise"]

    asyncio.run(main())


def test_a_response_beyond_the_limit_is_refused(make: Make) -> None:
    async def main() -> None:
        async with make(max_response_bytes=100) as cache:
            with pytest.raises(CacheSerializationError, match="100"):
                await cache.cache_response(**ASKED, response={"a": "x" * 100})

    asyncio.run(main())


@pytest.mark.parametrize("operation", [*OPERATION_TTLS, "other"])
def test_each_operation_has_its_time_to_live(operation: str) -> None:
    clock = FakeClock()

    async def main() -> None:
        async with AIResponseCache(None, clock=clock) as cache:
            await cache.cache_response("text", operation, None, BRIEF)
            await cache.get_or_compute("other text", operation, None, lambda: BRIEF)
            clock.advance(OPERATION_TTLS.get(operation, 3600) - 1)
            assert await cache.get_cached_response("text", operation)
            assert await cache.get_cached_response("other text", operation, scope="public")
            clock.advance(1)
            assert await cache.get_cached_response("text", operation) is None
            assert await cache.get_cached_response("other text", operation, scope="public") is None

    asyncio.run(main())


@pytest.mark.parametrize(
    ("operation", "ttl", "life"),
    [("qa", None, 1800), ("sentiment", None, 86400), ("qa", "10m", 600), ("mine", None, 5), ("other", None, 60)],
)
def test_times_to_live_reach_the_server_and_memory(
    share: Make, redis_port: int, redis_prefix: str, operation: str, ttl: Any, life: float
) -> None:
    async def main() -> None:
        async with share(default_ttl=60, operation_ttls={"mine": 5}) as cache:
            await cache.cache_response("text", operation, None, BRIEF, ttl=ttl)
            await cache.get_cached_response("text", operation)
            with raw(redis_port) as client:
                names = [name for name in client.scan_iter() if redis_prefix.encode() in name]
                assert any(life - 5 < client.pttl(name) / 1000 <= life for name in names)
            door = cache._place.door
            left = await door.ttl(cache.build_key("text", operation))
            assert left is not None
            assert life - 5 < left <= life

    asyncio.run(main())


def test_an_answer_with_no_time_to_live_is_not_stored(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            assert not await cache.cache_response(**ASKED, response=BRIEF, ttl=0)
            assert await cache.get_cached_response(**ASKED) is None

    asyncio.run(main())


# One computation


def test_fifty_who_ask_at_once_share_one_computation(make: Make) -> None:
    calls: list[int] = []

    async def compute() -> dict[str, Any]:
        calls.append(1)
        await asyncio.sleep(0)
        return BRIEF

    async def main() -> None:
        async with make() as cache:
            asked = [cache.get_or_compute("text", "qa", {"n": 1}, compute, scope="public") for _ in range(50)]
            answers = await asyncio.gather(*asked)
            assert [answer["summary"] for answer in answers] == ["Brief"] * 50
            assert len(calls) == 1
            assert not any(answer["cache_hit"] for answer in answers)
            numbers = cache.stats
            assert (numbers.hits, numbers.misses, numbers.coalesced, numbers.writes) == (0, 1, 49, 1)
            again = await cache.get_or_compute("text", "qa", {"n": 1}, compute, scope="public")
            assert again["cache_hit"]
            assert len(calls) == 1

    asyncio.run(main())


def test_two_processes_share_one_computation(share: Make) -> None:
    calls: list[int] = []

    async def compute() -> dict[str, Any]:
        calls.append(1)
        await asyncio.sleep(0.01)
        return BRIEF

    async def main() -> None:
        async with share() as one, share() as other:
            asked = [cache.get_or_compute("text", "qa", None, compute, scope="public") for cache in (one, other) * 10]
            assert {answer["summary"] for answer in await asyncio.gather(*asked)} == {"Brief"}
            assert len(calls) == 1

    asyncio.run(main())


def test_what_a_computation_raises_is_raised_and_nothing_is_kept(make: Make) -> None:
    async def fail() -> None:
        raise ZeroDivisionError("of the model")

    async def main() -> None:
        async with make() as cache:
            for _ in range(2):
                with pytest.raises(ZeroDivisionError, match="of the model"):
                    await cache.get_or_compute("text", "qa", None, fail, scope="public")
            assert await cache.get_or_compute("text", "qa", None, lambda: "ok", scope="public") == "ok"

    asyncio.run(main())


def test_an_invalidation_during_a_computation_wins(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:

            async def compute() -> dict[str, Any]:
                await cache.invalidate_by_operation("qa")
                return BRIEF

            assert (await cache.get_or_compute("text", "qa", None, compute, scope="public"))["summary"] == "Brief"
            assert await cache.get_cached_response("text", "qa", scope="public") is None

    asyncio.run(main())


def test_a_stale_answer_serves_while_the_model_is_down() -> None:
    clock = FakeClock()

    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with AIResponseCache(None, clock=clock) as cache:
            await cache.get_or_compute("text", "qa", None, lambda: BRIEF, ttl=60, stale_ttl=600)
            clock.advance(100)
            answer = await cache.get_or_compute("text", "qa", None, fail, ttl=60, stale_ttl=600)
            assert answer["summary"] == "Brief"

    asyncio.run(main())


# Invalidation reaches every tier


def test_an_operation_is_invalidated_and_none_that_begins_like_it(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for operation in ("qa", "qa_long", "q"):
                await cache.cache_response("text about qa", operation, None, BRIEF)
                await cache.get_cached_response("text about qa", operation)
            assert await cache.invalidate_by_operation("qa") == 1
            found = [await cache.get_cached_response("text about qa", name) for name in ("qa", "qa_long", "q")]
            assert [answer is not None for answer in found] == [False, True, True]

    asyncio.run(main())


def test_a_pattern_never_matches_a_text(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            await cache.cache_response("please summarize", "qa", None, BRIEF)
            await cache.cache_response("text", "summarize", None, BRIEF)
            assert await cache.invalidate_pattern("summarize") == 1
            assert await cache.get_cached_response("please summarize", "qa")
            assert await cache.invalidate_pattern("op:q?") == 1
            for pattern in ("", None):
                with pytest.raises(CacheValueError, match="pattern"):
                    await cache.invalidate_pattern(pattern)  # type: ignore[arg-type]

    asyncio.run(main())


def test_everything_is_invalidated_and_counted(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for number in range(5):
                await cache.cache_response(f"text {number}", "qa", None, BRIEF)
            assert await cache.invalidate_all() == 5
            assert await cache.get_cached_response("text 1", "qa") is None
            numbers = cache.get_invalidation_frequency_stats()
            assert (numbers["total_invalidations"], numbers["total_keys_invalidated"]) == (1, 5)

    asyncio.run(main())


def test_another_process_sees_an_invalidation(share: Make) -> None:
    async def main() -> None:
        async with share() as one, share() as other:
            await one.cache_response(**ASKED, response=BRIEF)
            assert await other.get_cached_response(**ASKED)
            assert await other.get_cached_response(**ASKED)
            await one.invalidate_by_operation("summarize")
            door: Any = other._place.door
            key = other.build_key(**ASKED)
            wait_until(lambda: type(door.peek(key)) is not bytes)
            assert await other.get_cached_response(**ASKED) is None

    asyncio.run(main())


def test_memory_alone_may_be_emptied(share: Make) -> None:
    async def main() -> None:
        async with share() as cache:
            await cache.cache_response(**ASKED, response=BRIEF)
            assert await cache.invalidate_memory_cache() == 1
            assert (await cache.get_cache_stats())["memory"]["memory_cache_entries"] == 0
            assert await cache.get_cached_response(**ASKED)

    asyncio.run(main())


# Tiers of texts


def test_memory_holds_the_answers_to_small_texts_and_no_others(share: Make) -> None:
    async def main() -> None:
        async with share() as cache:
            for length, count in ((499, 1), (500, 1), (5000, 1), (50_000, 1)):
                await cache.cache_response("x" * length, "qa", None, BRIEF)
                assert await cache.get_cached_response("x" * length, "qa")
                assert (await cache.get_cache_stats())["memory"]["memory_cache_entries"] == count
            tiers = [each.additional_data["text_tier"] for each in cache.performance_monitor.cache_operation_times]
            assert tiers == ["small"] * 2 + ["medium"] * 2 + ["large"] * 2 + ["xlarge"] * 2

    asyncio.run(main())


def test_tiers_and_what_memory_holds_may_be_set(share: Make) -> None:
    async def main() -> None:
        tiers = {"small": 2, "medium": 4, "large": 6}
        async with share(text_size_tiers=tiers, memory_tiers=["medium", "xlarge"]) as cache:
            for length in range(1, 8):
                await cache.cache_response("x" * length, "qa", None, BRIEF)
            assert (await cache.get_cache_stats())["memory"]["memory_cache_entries"] == 4

    asyncio.run(main())


def test_the_memory_is_bounded(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for number in range(300):
                await cache.cache_response(f"text {number}", "qa", None, BRIEF)
            memory = (await cache.get_cache_stats())["memory"]
            assert memory["memory_cache_entries"] <= memory["memory_cache_size_limit"] <= 100

    asyncio.run(main())


# Scopes


def test_tenants_with_the_same_prompt_never_meet(share: Make) -> None:
    async def main() -> None:
        async with share() as cache:
            tenants = [f"tenant:{number}" for number in range(200)]
            for tenant in tenants:
                await cache.get_or_compute("the same", "qa", {"n": 1}, lambda tenant=tenant: tenant, scope=tenant)
            for tenant in tenants:
                assert await cache.get_cached_response("the same", "qa", {"n": 1}, scope=tenant) == tenant
            assert await cache.get_cached_response("the same", "qa", {"n": 1}) is None
            assert await cache.get_cached_response("the same", "qa", {"n": 1}, scope="public") is None
            for wrong in (None, 5, ""):
                with pytest.raises(CacheValueError, match="scope"):
                    await cache.invalidate_scope(wrong)  # type: ignore[arg-type]

    asyncio.run(main())


def test_ten_thousand_tenants_have_ten_thousand_keys() -> None:
    cache = AIResponseCache(None)
    scopes = ["public", *[f"tenant:{number}" for number in range(10_000)]]
    assert len({cache.build_key("the same", "qa", {"n": 1}, scope=scope) for scope in scopes}) == 10_001


def test_a_shared_cache_is_told_whose_answers_they_are(share: Make) -> None:
    async def main() -> None:
        async with share() as cache:
            with pytest.raises(CacheValueError, match='scope="public"'):
                await cache.get_or_compute("text", "qa", None, lambda: BRIEF)
            with pytest.raises(CacheValueError, match="scope="):
                await cache.cached_completion({"model": "m"}, lambda: BRIEF)
        async with share(scope="public") as cache:
            assert await cache.get_or_compute("text", "qa", None, lambda: BRIEF)
        who = ["ada"]
        async with share(scope=lambda: who[0]) as cache:
            assert await cache.get_or_compute("text", "qa", None, lambda: "ada's") == "ada's"
            who[0] = "grace"
            assert await cache.get_or_compute("text", "qa", None, lambda: "grace's") == "grace's"
            assert await cache.get_or_compute("text", "qa", None, lambda: "?", scope="ada") == "ada's"
            who[0] = ""
            with pytest.raises(CacheValueError, match="scope"):
                await cache.get_cached_response("text", "qa")

    asyncio.run(main())


def test_the_verbs_of_the_llm_starter_share_without_a_scope_and_say_so_once(
    share: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with share() as cache:
            with caplog.at_level(logging.WARNING, "cachery.ai"):
                await cache.cache_response(**ASKED, response=BRIEF)
                await cache.get_cached_response(**ASKED)
            assert len([record for record in caplog.records if "scope" in record.message]) == 1

    asyncio.run(main())


def test_a_scope_is_forgotten_as_a_whole(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for scope in ("ada", "grace"):
                await cache.cache_response(**ASKED, response=BRIEF, scope=scope)
                await cache.cached_completion({"model": "m"}, lambda: REPLY, scope=scope)
            assert await cache.invalidate_scope("ada") == 2
            assert await cache.get_cached_response(**ASKED, scope="ada") is None
            assert await cache.get_cached_response(**ASKED, scope="grace")
            assert "ada" not in json.dumps(cache.performance_monitor.export_metrics())

    asyncio.run(main())


REPLY = {"choices": [{"finish_reason": "stop", "message": {"content": "4"}}]}


@pytest.mark.parametrize("scope", ["", 5, b"ada"])
def test_what_is_no_scope(make: Make, scope: Any) -> None:
    with pytest.raises(CacheValueError, match="scope"):
        make(scope=scope)


# What stands on the server


def test_nothing_on_the_server_shows_the_text(share: Make, redis_port: int, redis_prefix: str) -> None:
    async def main() -> None:
        async with share() as cache:
            await cache.cache_response("my-secret-text", "qa", {"o": "my-secret-option"}, BRIEF, "my-secret-question")
            await cache.cached_completion({"model": "m", "messages": ["my-secret-prompt"]}, lambda: REPLY, scope="me")
            with raw(redis_port) as client:
                names = [name for name in client.scan_iter() if redis_prefix.encode() in name]
                assert names
                assert not any(b"my-secret" in name for name in names)
                kinds = [client.get(name) for name in names if client.type(name) == b"string"]
                assert not any(b"my-secret" in (value or b"") for value in kinds)

    asyncio.run(main())


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x01" + b"x" * 60, b"\x02" + bytes(40), b"\x01\x00" + b"\xff" * 60])
def test_what_is_no_answer_counts_as_none(make: Make, junk: bytes) -> None:
    async def main() -> None:
        async with make() as cache:
            key = cache.build_key(**ASKED)
            await cache._place.door.set(key, junk)
            assert await cache.get_cached_response(**ASKED) is None
            await cache._place.door.set(cache.build_key(**ASKED, scope="public"), junk)
            answer = await cache.get_or_compute(**ASKED, compute=lambda: BRIEF, scope="public")
            assert answer["summary"] == "Brief"

    asyncio.run(main())


def test_a_bomb_is_not_inflated(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            await cache.cache_response(**ASKED, response={"summary": "x" * 5000})
            key = cache.build_key(**ASKED)
            record = await cache._place.door.get(key)
            bomb = record[:30] + zlib.compress(b"[" * 100_000_000, 9)
            await cache._place.door.set(key, bomb)
            assert await cache.get_cached_response(**ASKED) is None

    asyncio.run(main())


# Values by key


def test_values_by_key(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            assert isinstance(cache, CacheInterface)
            key = cache.build_key("text", "qa", {"n": 1})
            assert (await cache.get(key), await cache.exists(key)) == (None, False)
            await cache.set(key, {"answer": 42}, ttl=60)
            assert (await cache.get(key), await cache.exists(key)) == ({"answer": 42}, True)
            assert (await cache.get_cached_response("text", "qa", {"n": 1}))["answer"] == 42
            await cache.set(key, "123")
            assert await cache.get(key) == "123"
            await cache.delete(key)
            await cache.delete(key)
            assert await cache.get(key) is None

    asyncio.run(main())


# Numbers


def test_reports_have_the_forms_of_the_llm_starter(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            await cache.cache_response(**ASKED, response=BRIEF)
            await cache.get_cached_response(**ASKED)
            await cache.get_cached_response("other", "qa")
            numbers = await cache.get_cache_stats()
            json.dumps(numbers)
            assert set(numbers) == {"redis", "memory", "performance"}
            assert numbers["redis"]["status"] in {"connected", "disabled"}
            assert numbers["redis"]["keys"] == (1 if numbers["redis"]["status"] == "connected" else 0)
            assert numbers["performance"]["cache_hit_rate"] == cache.get_cache_hit_ratio() == 50.0
            summary = cache.get_performance_summary()
            json.dumps(summary)
            assert (summary["hit_ratio"], summary["cache_hits"], summary["cache_misses"]) == (50.0, 1, 1)
            assert set(summary) >= {
                "total_operations",
                "recent_avg_key_generation_time",
                "recent_avg_cache_operation_time",
                "total_invalidations",
                "total_keys_invalidated",
                "memory_usage",
            }
            assert cache.get_memory_warnings() == []
            assert cache.get_memory_usage_stats()["current"]["memory_cache_entry_count"] == min(
                1, cache.memory_cache_size
            )
            cache.reset_performance_stats()
            assert (cache.stats.hits, cache.savings(), cache.get_performance_summary()["cache_hits"]) == (0, [], 0)

    asyncio.run(main())


def test_keys_are_counted(make: Make) -> None:
    async def main() -> None:
        async with make(text_hash_threshold=5) as cache:
            for text in ("short", "longer than that"):
                await cache.get_cached_response(text, "qa")
            numbers = cache.key_generator.get_key_generation_stats()
            assert numbers["total_keys_generated"] == 2
            assert numbers["text_size_distribution"] == {"small": 1, "large": 1, "average_size": 10.5, "max_size": 16}
            assert numbers["operation_distribution"] == {"qa": 2}
            assert numbers["recent_performance"]["recent_measurements"] == 2

    asyncio.run(main())


def test_a_monitor_may_be_shared() -> None:
    async def main() -> None:
        monitor = CachePerformanceMonitor()
        async with (
            AIResponseCache(None, performance_monitor=monitor) as one,
            AIResponseCache(None, performance_monitor=monitor) as other,
        ):
            await one.get_cached_response("text", "qa")
            await other.get_cached_response("text", "qa")
            assert monitor.cache_misses == 2

    asyncio.run(main())


def test_who_subscribes_hears_what_was_answered(make: Make) -> None:
    async def main() -> None:
        seen: list[Any] = []
        async with make(name="answers") as cache:
            end = cache.subscribe(seen.append)
            twice = cache.subscribe(seen.append)
            twice()
            twice()
            await cache.get_cached_response("text", "qa", scope="ada")
            await cache.get_or_compute("text", "qa", None, lambda: BRIEF, scope="ada")
            await cache.get_cached_response("text", "qa", scope="ada")
            end()
            await cache.get_cached_response("text", "qa", scope="ada")
            assert [(event.cache, event.operation, event.outcome) for event in seen] == [
                ("answers", "qa", "computed"),
                ("answers", "qa", "hit"),
            ]
            assert all(isinstance(event, Answered) and 0 <= event.duration < 60 for event in seen)

    asyncio.run(main())


# Bad input


@pytest.mark.parametrize(
    "settings",
    [
        {"default_ttl": 0},
        {"default_ttl": -5},
        {"default_ttl": "soon"},
        {"operation_ttls": {"qa": 0}},
        {"compression_threshold": -1},
        {"compression_threshold": 1.5},
        {"compression_level": 42},
        {"compression": "bzip"},
        {"text_hash_threshold": -1},
        {"text_size_tiers": {"small": 5000, "medium": 500}},
        {"text_size_tiers": {"small": 0}},
        {"text_size_tiers": {"tiny": 5}},
        {"memory_cache_size": -1},
        {"memory_cache_size": 1.5},
        {"memory_tiers": "small"},
        {"memory_tiers": ["tiny"]},
        {"max_response_bytes": 0},
        {"serializer": "pickle"},
        {"serializer": "xml"},
        {"key_secret": ""},
        {"no_such_setting": 1},
        {"operation_ttls": {"a b": 1}},
        {"operation_ttls": {5: 1}},
        {"memory_tiers": [["small"]]},
        {"text_in_key": "no"},
        {"performance_monitor": "mine"},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        AIResponseCache(None, **settings)


def test_without_a_place_nothing_can_be_kept() -> None:
    with pytest.raises(CacheValueError, match="memory_cache_size"):
        AIResponseCache(None, memory_cache_size=0)


def test_arguments_that_cannot_be(make: Make) -> None:
    async def main() -> None:
        async with make() as cache:
            for text in (None, 5, b"text"):
                with pytest.raises(CacheValueError, match="text"):
                    await cache.get_cached_response(text, "qa")  # type: ignore[arg-type]
            for operation in ("", "a|b", "qa*", None):
                with pytest.raises(CacheValueError, match="operation"):
                    await cache.cache_response("text", operation, None, BRIEF)  # type: ignore[arg-type]
                with pytest.raises(CacheValueError, match="operation"):
                    await cache.invalidate_by_operation(operation)  # type: ignore[arg-type]
            with pytest.raises(CacheKeyError):
                await cache.cache_response("text", "qa", {"x": object()}, BRIEF)
            with pytest.raises(CacheValueError, match="compute"):
                await cache.get_or_compute("text", "qa", None, BRIEF)  # type: ignore[arg-type]
            with pytest.raises(CacheValueError, match="listener"):
                cache.subscribe("listener")  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_closed_cache_says_so(make: Make) -> None:
    async def main() -> None:
        cache = make()
        await cache.close()
        await cache.close()
        with pytest.raises(CacheClosedError):
            await cache.get_cached_response(**ASKED)
        with pytest.raises(CacheClosedError):
            await cache.cache_response(**ASKED, response=BRIEF)
        with pytest.raises(CacheClosedError):
            await cache.connect()
        assert cache.stats.size == 0

    asyncio.run(main())


@pytest.mark.parametrize("url", ["http://localhost:6379", "", 5])
def test_a_url_that_cannot_be_read(url: Any) -> None:
    with pytest.raises(CacheValueError):
        AIResponseCache(url)


def test_a_setting_that_there_is_not(redis_port: int) -> None:
    with pytest.raises(CacheValueError, match="scop"):
        over_redis(redis_port, "t", scop="public")
    with pytest.raises(CacheValueError, match="name"):
        over_redis(redis_port, "t", name=5)


def test_without_redis_nothing_said_means_public() -> None:
    async def main() -> None:
        async with AIResponseCache(None) as cache:
            await cache.cache_response(**ASKED, response=BRIEF)
            assert (await cache.get_or_compute(**ASKED, compute=dict, scope="public"))["summary"] == "Brief"

    asyncio.run(main())


def test_a_context_variable_that_nobody_has_set() -> None:
    who: ContextVar[str] = ContextVar("who")
    with pytest.raises(CacheValueError, match="context variable"):
        AIResponseCache(None, scope=who.get).build_key("text", "qa")


def test_caches_with_other_serializers_and_compressions_live_side_by_side(share: Make) -> None:
    async def main() -> None:
        large = {"summary": "tea " * 1000}
        async with share() as one, share(serializer="msgpack") as other, share(compression="zstd") as third:
            await one.cache_response("text", "qa", None, 49)
            assert await other.get_cached_response("text", "qa") is None
            await one.cache_response("large", "qa", None, large)
            for _ in range(2):
                assert (await third.get_cached_response("large", "qa"))["summary"] == large["summary"]
                assert (await one.get_cached_response("large", "qa"))["summary"] == large["summary"]

    asyncio.run(main())


def test_what_is_written_through_one_door_is_read_through_the_other(share: Make) -> None:
    async def main() -> None:
        text = "x" * 60_000
        async with share() as cache:
            key = cache.build_key(text, "qa")
            for number in range(100):
                await cache.set(key, number)
                assert await cache.get(key) == number
                await cache.cache_response(text, "qa", None, -number)
                assert await cache.get(key) == -number

    asyncio.run(main())


def test_only_what_stands_there_counts_as_written(make: Make) -> None:
    async def main() -> None:
        async with make(scope="public") as cache:
            await cache.cache_response(**ASKED, response=BRIEF, ttl=0)
            await cache.get_or_compute(**ASKED, compute=lambda: BRIEF, ttl=0)

            async def compute() -> dict[str, Any]:
                await cache.invalidate_all()
                return BRIEF

            await cache.get_or_compute(**ASKED, compute=compute)
            assert cache.stats.writes == 0
            await cache.get_or_compute(**ASKED, compute=lambda: BRIEF)
            assert (cache.stats.writes, cache.stats.load_success) == (1, 3)
            await cache.invalidate_all()
            assert cache.stats.deletes == 1

    asyncio.run(main())


def test_a_password_never_shows(redis_port: int) -> None:
    cache = over_redis(redis_port, "t", password="my-secret")
    assert "my-secret" not in repr(cache)
    assert "my-secret" not in str(AIResponseCache(f"redis://:my-secret@{HOST}:{redis_port}").redis_url)
    assert HOST in repr(cache)
