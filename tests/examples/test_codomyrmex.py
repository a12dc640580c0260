"""The examples of codomyrmex run as scripts, warnings being errors, and do what they say."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.servers.redis_servers import flush, free_port

import cachery
from cachery import FileBasedCache, InMemoryCache, NamespacedCache, TTLManager, get_cache
from cachery.events import Event, Invalidated, Stored

EXAMPLES = Path(__file__).parents[2] / "examples" / "codomyrmex"
OUTPUTS = {
    "backends": """\
InMemoryCache {'name': 'Ada'} True 1
1 True
InMemoryCache {'name': 'Ada'} True 1
1 True
FileBasedCache {'name': 'Ada'} True 1
1 True
FileBasedCache {'name': 'Ada'} True 1
1 True
RedisCache requires running Redis server
""",
    "async_ops": "{'status': 'done'} 100\n12 None\n",
    "distributed": "",
    "file_based": "",
    "in_memory_lru": "Cache hit — saved 142 tokens\n",
    "mcp_tools": "{'name': 'llm_responses', 'backend': 'in_memory', 'size': 0}\n{'response': 'Hello world'}\n",
    "namespaced": "",
    "quick_start": "Hit rate: 100.00%\n",
    "statistics": "Cache: 0/0 hits (0.0%), 0/1000 entries, 0 evictions\n",
    "ttl_manager": "",
    "warming": "Warmed 3 keys in 0.0ms\nSuccess rate: 100.0%\n",
}


pytestmark = pytest.mark.usefixtures("fresh_process")


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\dms", "0.0ms", text)


def run_example(name: str) -> dict[str, Any]:
    """Run the example here; return its names."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def test_every_example_is_tested() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(OUTPUTS)


@pytest.fixture
def _on_redis(fresh_process: None, redis_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    del fresh_process  # first: it forgets what the environment says
    flush(redis_port)
    monkeypatch.setenv("REDIS_URL", f"redis://localhost:{redis_port}")


@pytest.mark.usefixtures("_on_redis")
@pytest.mark.parametrize("name", OUTPUTS)
def test_as_a_script(name: str) -> None:
    source = str(Path(cachery.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, without_times(done.stdout), done.stderr) == (0, OUTPUTS[name], "")


def test_quick_start(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("quick_start")
    cache, stats = names["cache"], names["stats"]
    assert names["result"] == names["data"] == {"response": "Hello world"}
    assert cache is get_cache("llm_responses")
    assert not cache.has("prompt_hash_123")
    assert stats is cache.stats
    assert (stats.hits, stats.misses, stats.writes, stats.deletes) == (2, 0, 1, 1)
    assert names["manager"].get_cache("build_artifacts") is names["build_cache"]
    assert isinstance(names["build_cache"], InMemoryCache)
    assert isinstance(names["code_cache"], FileBasedCache)
    assert capsys.readouterr().out == OUTPUTS["quick_start"]


ASK = "from cachery import get_cache; print(get_cache({!r}, {!r}).get({!r}))"


def asked_elsewhere(name: str, backend: str, key: str) -> str:
    """Return what another process prints as the value of ``key``."""
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(name, backend, key)],
        env={**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.usefixtures("_on_redis")
def test_distributed_in_two_processes() -> None:
    test_as_a_script("distributed")
    assert "cache_manager.py" in asked_elsewhere("shared_agent_state", "redis", "task:review:file_list")
    names = run_example("distributed")
    assert names["files"] == ["src/codomyrmex/cache/cache.py", "src/codomyrmex/cache/cache_manager.py"]
    assert 110 < names["cache"].ttl("task:review:file_list") <= 120
    names["mgr"].close()


def test_distributed_without_a_server(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://localhost:{free_port()}")
    names = run_example("distributed")
    assert len(names["files"]) == 2
    assert names["cache"].degraded is True
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    names["mgr"].close()


def test_file_based_in_two_processes(tmp_path: Path) -> None:
    test_as_a_script("file_based")
    printed = asked_elsewhere("analysis_results", "file_based", "analysis:src/codomyrmex/agents")
    assert "'complexity_score': 7.3" in printed
    names = run_example("file_based")
    assert names["cached"]["issues"] == 12
    assert names["cache"].ttl("analysis:src/codomyrmex/agents") == pytest.approx(3600, abs=5)
    stems = {path.stem for path in tmp_path.rglob("*.cache")}
    assert stems == {path.stem for path in tmp_path.rglob("*.meta")}
    assert len(stems) == 1


def test_in_memory_lru(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("in_memory_lru")
    cache = names["cache"]
    assert names["result"] == {
        "response": "The cache module provides multi-backend caching...",
        "model": "claude-3-opus",
        "tokens_used": 142,
    }
    assert cache.ttl("prompt:summarize_module:cache") == pytest.approx(600, abs=5)
    cache.set("other", 1)
    assert cache.ttl("other") == pytest.approx(300, abs=5)
    assert (cache.policy, cache.max_size, cache.stats.hits) == ("lru", 1000, 1)
    assert capsys.readouterr().out == OUTPUTS["in_memory_lru"]


def test_namespaced() -> None:
    seen: list[Event] = []
    base = get_cache("default", backend="in_memory")
    base.subscribe(seen.append)
    names = run_example("namespaced")
    assert names["base_cache"] is base
    assert [event.key for event in seen if isinstance(event, Stored)] == ["llm:query", "rag:query"]
    assert [event.target for event in seen if isinstance(event, Invalidated)] == ["llm:*"]
    assert list(base.keys()) == ["rag:query"]
    llm_cache, rag_cache = names["llm_cache"], names["rag_cache"]
    assert isinstance(llm_cache, NamespacedCache)
    assert llm_cache.get("query") is None
    assert rag_cache.get("query") == {"chunks": 5, "similarity": 0.87}


def test_statistics(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("statistics")
    cache, stats = names["cache"], names["stats"]
    assert (names["recent_rate"], names["hot_keys"]) == (0.0, [])
    cache.set("session", 1)
    assert [cache.get(key) for key in ("session", "session", "absent", "session")] == [1, 1, None, 1]
    assert stats.text() == "Cache: 3/4 hits (75.0%), 1/1000 entries, 0 evictions"
    assert stats.hit_rate_window(seconds=60.0) == 0.75
    assert stats.hottest_keys(n=10) == [("session", 3)]
    assert capsys.readouterr().out == OUTPUTS["statistics"]


def test_ttl_manager() -> None:
    names = run_example("ttl_manager")
    manager, cache = names["ttl_mgr"], names["my_cache"]
    assert isinstance(manager, TTLManager)
    try:
        assert manager.is_running
        assert manager.cleanup_interval == 60
        cache.set("key", 1)
        assert manager.cleanup() == 0
        cache.set("tagged", 1, tags=["tag"])
        cache.invalidate_tags("tag")
        assert manager.cleanup() == 1
        assert list(cache.keys()) == ["key"]
    finally:
        manager.stop()
    assert not manager.is_running


def test_warming(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("warming")
    names["warmer"].stop_scheduler()
    assert names["my_cache_dict"] == {key: {"name": key} for key in ("config:global", "config:agents", "config:llm")}
    assert (names["stats"].keys_warmed, names["stats"].success_rate) == (3, 1.0)
    assert without_times(capsys.readouterr().out) == OUTPUTS["warming"]


def test_async_ops(capsys: pytest.CaptureFixture[str]) -> None:
    run_example("async_ops")
    cache = get_cache("workflow", backend="file_based")
    assert len(list(cache.keys())) == 88
    assert cache.get("agent:99") == 99
    assert capsys.readouterr().out == OUTPUTS["async_ops"]


def test_mcp_tools(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("mcp_tools")
    assert names["answer"]["status"] == "ok"
    assert get_cache("llm_responses", backend="in_memory").ttl("prompt:1") == pytest.approx(600, abs=5)
    assert capsys.readouterr().out == OUTPUTS["mcp_tools"]
