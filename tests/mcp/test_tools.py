"""The tools as plain functions: what they answer, and that a refused call changes nothing."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cachery import CacheManager, CacheValueError, DiskCache, get_cache
from cachery.manager import configure, default_manager
from cachery.mcp_tools import (
    MOST_BYTES,
    TOOLS,
    cache_delete,
    cache_get,
    cache_invalidate_by_tag,
    cache_set,
    cache_stats,
    call_module_function,
)
from cachery.settings import from_environment

VARIABLE = "CODOMYRMEX_MCP_CACHE_TTL"


pytestmark = pytest.mark.usefixtures("fresh_process")


def test_a_value_is_stored_found_and_deleted() -> None:
    stored = cache_set("key", {"text": ["é", None, 1.5]}, ttl=60)
    assert (stored["status"], stored["key"]) == ("stored", "key")
    left = (datetime.fromisoformat(stored["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert 50 < left <= 60
    found = cache_get("key")
    assert (found["status"], found["value"]) == ("hit", {"text": ["é", None, 1.5]})
    assert 50 < found["ttl_remaining"] <= 60.1
    assert found["metadata"] == {"cache_name": "default", "backend": "in_memory"}
    assert cache_delete("key") == {"status": "deleted", "key": "key"}
    assert cache_delete("key") == {"status": "not_found", "key": "key"}
    assert cache_get("key")["status"] == "miss"


def test_a_stored_null_is_a_hit() -> None:
    cache_set("key", None)
    found = cache_get("key")
    assert (found["status"], found["value"]) == ("hit", None)


def test_what_has_no_end_has_no_seconds_left() -> None:
    get_cache("endless", default_ttl=float("inf")).set("key", (1, 2))
    found = cache_get("key", "endless")
    assert (found["value"], found["ttl_remaining"]) == ([1, 2], None)


def test_caches_are_those_of_the_process() -> None:
    cache_set("key", 1, cache_name="shared")
    assert get_cache("shared").get("key") == 1


def test_the_ttl_of_who_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    cache_set("key", 1)
    assert get_cache().ttl("key") == pytest.approx(300, abs=1)
    monkeypatch.setenv(VARIABLE, "1m")
    cache_set("key", 1)
    assert get_cache().ttl("key") == pytest.approx(60, abs=1)


@pytest.mark.parametrize("text", ["0", "-1", "86400", "2d", "soon", "inf", "nan"])
def test_a_malformed_variable_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(CacheValueError, match=VARIABLE):
        from_environment(VARIABLE)
    answer = cache_set("key", 1)
    assert (answer["status"], answer["error_type"]) == ("error", "CacheValueError")
    assert VARIABLE in answer["message"]
    assert cache_get("key")["status"] == "miss"
    assert cache_set("key", 1, ttl=5)["status"] == "stored"


@pytest.mark.parametrize(
    "change",
    [
        {"key": 7},
        {"value": object()},
        {"value": float("nan")},
        {"value": (1, 2)},
        {"value": {1: 2}},
        {"value": b"bytes"},
        {"value": "x" * MOST_BYTES},
        {"ttl": 0},
        {"ttl": -1},
        {"ttl": True},
        {"ttl": "soon"},
        {"ttl": float("inf")},
        {"tags": "tag"},
        {"tags": [1]},
        {"cache_name": 7},
        {"backend": 7},
        {"backend": "cupboard"},
    ],
)
def test_a_refused_call_changes_nothing(change: dict[str, Any]) -> None:
    cache_set("key", "old")
    answer = cache_set(**{"key": "key", "value": "new", **change})
    assert answer["status"] == "error"
    json.dumps(answer)
    assert cache_get("key")["value"] == "old"
    assert [record["name"] for record in call_module_function("cache", "list_caches")["result"]] == ["default"]


def test_what_is_nested_too_deep_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert cache_set("key", value)["error_type"] == "CacheSerializationError"


def test_what_is_too_large_is_refused_whole() -> None:
    get_cache().set("key", "x" * MOST_BYTES)
    answer = cache_get("key")
    assert answer["status"] == "error"
    assert "too large" in answer["message"]
    assert str(MOST_BYTES) in answer["message"]
    assert cache_set("edge", "x" * (MOST_BYTES - 2))["status"] == "stored"
    assert len(cache_get("edge")["value"]) == MOST_BYTES - 2


def test_what_json_does_not_carry_is_said_so() -> None:
    get_cache().set("key", {1, 2})
    answer = cache_get("key")
    assert (answer["status"], answer["error_type"]) == ("error", "CacheSerializationError")
    assert "set" in answer["message"]


def test_looking_makes_no_cache(tmp_path: Path) -> None:
    for backend in ("in_memory", "null", "file_based", "disk"):
        assert cache_get("key", "nowhere", backend)["status"] == "miss"
        assert cache_delete("key", "nowhere", backend)["status"] == "not_found"
        assert cache_stats("nowhere", backend)["status"] == "not_found"
        assert cache_invalidate_by_tag(["tag"], cache_name="nowhere", backend=backend)["status"] == "not_found"
    assert list(tmp_path.iterdir()) == []
    assert call_module_function("cache", "summary")["result"]["total_caches"] == 0


def test_a_cache_on_disk_is_found_by_another_manager() -> None:
    with CacheManager() as other:
        other.get_cache("kept", "file_based").set("key", [1])
    assert cache_get("key", "kept", "file_based")["value"] == [1]


def test_numbers() -> None:
    cache_set("key", 1)
    cache_get("key")
    answer = cache_stats()
    assert (answer["status"], answer["cache_name"], answer["backend"]) == ("ok", "default", "in_memory")
    assert (answer["statistics"]["hits"], answer["statistics"]["size"]) == (1, 1)


@pytest.mark.parametrize("backend", ["in_memory", "file_based"])
def test_invalidation_by_tag(backend: str) -> None:
    where: dict[str, Any] = {"cache_name": "tagged", "backend": backend}
    for key, tags in (("a", ["x"]), ("b", ["x", "y"]), ("c", ["y"]), ("d", [])):
        cache_set(key, 1, tags=tags, **where)
    answer = cache_invalidate_by_tag(["x", "y"], match_all=True, **where)
    assert answer == {"status": "invalidated", "tags": ["x", "y"], "invalidated_count": 1}
    assert cache_invalidate_by_tag(["x"], **where)["invalidated_count"] == 1
    assert [cache_get(key, **where)["status"] for key in "abcd"] == ["miss", "miss", "hit", "hit"]


@pytest.mark.parametrize(
    "arguments", [{"tags": []}, {"tags": "x"}, {"tags": ["x"], "match_all": "yes"}, {"tags": None}]
)
def test_tags_that_are_none(arguments: dict[str, Any]) -> None:
    cache_set("key", 1, tags=["x"])
    assert cache_invalidate_by_tag(**arguments)["status"] == "error"
    assert cache_get("key")["status"] == "hit"


def test_a_server_that_is_away_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    answer = cache_get("key", "elsewhere", "redis")
    assert answer["status"] in ("error", "miss")
    json.dumps(answer)


# call_module_function


def test_a_descriptor_of_a_cache() -> None:
    answer = call_module_function("cache", "get_cache", {"name": "llm_responses", "backend": "in_memory"})
    assert answer == {"status": "ok", "result": {"name": "llm_responses", "backend": "in_memory", "size": 0}}
    assert call_module_function("cache", "has_cache", {"name": "llm_responses"})["result"] is True
    assert call_module_function("cache", "get_cache", {"name": "sized", "max_size": 5})["status"] == "ok"
    assert get_cache("sized").stats.max_size == 5
    assert call_module_function("cache", "remove_cache", {"name": "sized"})["result"] is True
    assert call_module_function("cachery", "get_cache")["result"]["name"] == "default"


def test_tools_are_functions_too() -> None:
    assert call_module_function("cache", "cache_set", {"key": "a", "value": 1})["status"] == "stored"
    assert call_module_function("cache", "cache_get", {"key": "a"})["value"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"module": "os", "function": "system", "kwargs": {"command": "true"}},
        {"module": "cache", "function": "__import__"},
        {"module": "cache", "function": "call_module_function", "kwargs": {}},
        {"module": "cache", "function": 7},
        {"module": 7, "function": "get_cache"},
        {"module": "cache", "function": "get_cache", "kwargs": ["name"]},
        {"module": "cache", "function": "get_cache", "kwargs": {"cache_dir": "elsewhere"}},
        {"module": "cache", "function": "get_cache", "kwargs": {"backend": "cupboard"}},
        {"module": "cache", "function": "has_cache", "kwargs": {"nothing": 1}},
        {"module": "cache", "function": "cache_get", "kwargs": {"nothing": 1}},
    ],
)
def test_nothing_else_is_called(arguments: dict[str, Any]) -> None:
    assert call_module_function(**arguments)["status"] == "error"
    assert call_module_function("cache", "list_caches")["result"] == []


def test_an_argument_that_is_missing_is_named_as_callers_know_it() -> None:
    said = call_module_function("cache", "remove_cache", {})["message"]
    assert said == "remove_cache: missing 1 required positional argument: 'name'"


# What is said of the tools


def test_tools_describe_themselves() -> None:
    assert list(TOOLS) == [
        "cache_get",
        "cache_set",
        "cache_delete",
        "cache_stats",
        "cache_invalidate_by_tag",
        "call_module_function",
    ]
    meta = cache_set._mcp_tool_meta  # type: ignore[attr-defined]
    assert (meta["name"], meta["category"]) == ("cachery.cache_set", "cache")
    assert "type" not in meta["schema"]["properties"]["value"]
    assert meta["schema"]["required"] == ["key", "value"]
    assert TOOLS["cache_set"].call({"key": "a"})["status"] == "error"
    assert TOOLS["cache_set"].call({"key": "a", "value": 1, "nothing": 2})["error_type"] == "TypeError"


def test_what_only_reads() -> None:
    cache_set("a", 1)
    reading = [name for name, tool in TOOLS.items() if tool.is_read_only({})]
    assert reading == ["cache_get", "cache_stats"]
    is_read_only = TOOLS["call_module_function"].is_read_only
    assert is_read_only({"function": "summary"})
    assert is_read_only({"function": "cache_get", "kwargs": {"key": "a"}})
    assert is_read_only({"function": "get_cache"})
    for change in (
        {"function": "get_cache", "kwargs": {"name": "new"}},
        {"function": "get_cache", "kwargs": "name"},
        {"function": "cache_set", "kwargs": {}},
        {"function": "remove_cache"},
        {"function": "call_module_function", "kwargs": {"function": "summary"}},
        {"function": ["summary"]},
    ):
        assert not is_read_only(change)


def test_who_looks_at_many_names_on_a_server_opens_none_for_good(
    redis_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://localhost:{redis_port}")
    for kind in ("redis", "tiered"):
        assert cache_set("a", kind, cache_name=f"kept on {kind}", backend=kind)["status"] == "stored"
        default_manager().remove_cache(f"kept on {kind}")
        assert cache_get("a", f"kept on {kind}", kind)["value"] == kind
        assert cache_delete("a", f"kept on {kind}", kind)["status"] == "deleted"
        for number in range(3):
            assert cache_get("a", f"name {number}", kind)["status"] == "miss"
            assert cache_stats(f"name {number}", kind)["status"] == "ok"
    assert default_manager().cache_count == 0


def test_a_name_of_the_settings_is_on_the_backend_that_they_say(tmp_path: Path) -> None:
    configure({"caches": {"builds": {"backend": "disk", "path": str(tmp_path / "builds")}}})
    assert cache_set("a", 1, cache_name="builds")["status"] == "stored"
    assert cache_get("a", "builds")["metadata"]["backend"] == "disk"
    with DiskCache(tmp_path / "builds", name="builds") as cache:
        assert cache.get("a") == 1
