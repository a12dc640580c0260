"""Numbers for Prometheus, scraped over HTTP from a real server and parsed with its own parser."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.request import ProxyHandler, build_opener

import pytest

from cachery import CacheStats, FileBasedCache, InMemoryCache, NamespacedCache, NullCache, aio
from cachery.exceptions import CacheValueError
from cachery.monitoring import CachePerformanceMonitor
from cachery.testing import FakeClock

prometheus = pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, start_http_server  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

from cachery.monitoring.prometheus import CacheCollector  # noqa: E402


class Scrape(Protocol):
    """Serves what is given, asks once over HTTP and returns the answer."""

    def __call__(self, *caches: Any, **options: Any) -> str: ...


SECRETS = ("secret-key", "secret-prompt", "secret-scope", "secret-value")


def fetch(port: int) -> str:
    opener = build_opener(ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture
def scrape() -> Iterator[Scrape]:
    servers = []

    def serve(*caches: Any, **options: Any) -> str:
        registry = CollectorRegistry()
        registry.register(CacheCollector(*caches, **options))
        server, thread = start_http_server(0, "127.0.0.1", registry=registry)
        servers.append((server, thread))
        return fetch(server.server_port)

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            place = (sample.name, tuple(sorted(sample.labels.items())))
            assert place not in found, f"{place} stands there twice"
            found[place] = sample.value
    return found


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, tuple(sorted(labels.items()))]


def test_the_numbers_of_a_cache_are_scraped(scrape: Scrape) -> None:
    cache = InMemoryCache(max_size=2, name="answers")
    for key in "abc":
        cache.set(key, 1)
    cache.get("c")
    cache.get("a")
    cache.get_or_set("c", lambda: 1)
    cache.get_or_set("d", lambda: 1)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_set("e", lambda: 1 / 0)
    cache.delete("c")
    text = scrape(cache)
    for name in ("hits", "misses", "writes", "deletes", "evictions", "expirations", "load_success", "load_failure"):
        expected = getattr(cache.stats, name)
        assert value(text, f"cachery_{name}_total", cache="answers") == expected
    assert value(text, "cachery_hits_total", cache="answers") == 2
    assert value(text, "cachery_stale_hits_total", cache="answers") == 0
    assert value(text, "cachery_coalesced_total", cache="answers") == 0
    assert value(text, "cachery_entries", cache="answers") == 1
    assert value(text, "cachery_max_entries", cache="answers") == 2
    assert value(text, "cachery_cache_up", cache="answers") == 1


def test_caches_of_every_kind_have_numbers(scrape: Scrape, tmp_path: Path) -> None:
    memory = InMemoryCache(None, name="memory")
    files = FileBasedCache(tmp_path / "files", name="files")
    space = NamespacedCache(memory, "space")
    files.set("a", 1)
    record = SimpleNamespace(stats=CacheStats(hits=3, size=4), name="record")
    awaited = aio.InMemoryCache(name="awaited")
    asyncio.run(awaited.set("a", 1))
    text = scrape(memory, files, space, NullCache(), record, awaited)
    assert value(text, "cachery_writes_total", cache="files") == 1
    assert value(text, "cachery_degraded", cache="files") == 0
    assert value(text, "cachery_hits_total", cache="space") == 0
    assert value(text, "cachery_hits_total", cache="record") == 3
    assert value(text, "cachery_entries", cache="record") == 4
    assert value(text, "cachery_entries", cache="awaited") == 1
    assert value(text, "cachery_entries", cache="NullCache") == 0
    counted = {labels[0][1] for name, labels in samples(text) if name == "cachery_entries"}
    assert counted == {"memory", "NullCache", "record", "awaited"}, "to count files and namespaces takes long"


def test_caches_of_one_name_are_told_apart(scrape: Scrape) -> None:
    first, second, third = InMemoryCache(), InMemoryCache(), InMemoryCache(name="InMemoryCache")
    second.set("a", 1)
    text = scrape(first, second, third)
    assert value(text, "cachery_writes_total", cache="InMemoryCache-2") == 1
    assert value(text, "cachery_writes_total", cache="InMemoryCache-3") == 0


class Broken:
    name = "broken"

    @property
    def stats(self) -> object:
        raise RuntimeError("no numbers today")


def test_a_cache_that_fails_does_not_break_the_scrape(caplog: pytest.LogCaptureFixture) -> None:
    closed, fine = InMemoryCache(name="closed"), InMemoryCache(name="fine")
    closed.close()
    registry = CollectorRegistry()
    collector = CacheCollector(Broken(), closed, fine)
    registry.register(collector)
    text = ""
    for _ in range(3):
        text = prometheus.generate_latest(registry).decode()
    assert value(text, "cachery_cache_up", cache="closed") == 0
    assert value(text, "cachery_cache_up", cache="broken") == 0
    assert value(text, "cachery_cache_up", cache="fine") == 1
    assert value(text, "cachery_hits_total", cache="fine") == 0
    assert ("cachery_hits_total", (("cache", "broken"),)) not in samples(text)
    assert len(caplog.records) == 1


def test_to_register_asks_no_cache_anything() -> None:
    asked: list[int] = []
    cache = SimpleNamespace(stats=lambda: asked.append(1), name="quiet")
    CollectorRegistry(auto_describe=True).register(CacheCollector(cache))
    assert asked == []


def test_a_monitor_is_scraped(scrape: Scrape) -> None:
    clock = FakeClock()
    monitor = CachePerformanceMonitor(max_measurements=10, clock=clock)
    for number in range(20):
        monitor.record_cache_operation_time("get", 0.1 if number < 10 else 0.25, cache_hit=number < 15)
    monitor.record_key_generation_time(0.5, 10, "secret-key")
    monitor.record_compression_ratio(1000, 250, 0.1)
    monitor.record_invalidation_event("secret-key*", 7, 0.1)
    monitor.record_memory_usage(size_bytes=200 * 1024 * 1024)
    text = scrape(monitor=monitor)
    assert value(text, "cachery_operation_duration_seconds", operation="get", quantile="0.95") == 0.25
    assert value(text, "cachery_operation_duration_seconds_count", operation="get") == 20
    assert value(text, "cachery_operation_duration_seconds_sum", operation="get") == pytest.approx(3.5)
    assert value(text, "cachery_key_generation_duration_seconds", quantile="0.5") == 0.5
    assert value(text, "cachery_requests_total", result="hit") == 15
    assert value(text, "cachery_requests_total", result="miss") == 5
    assert value(text, "cachery_compression_input_bytes_total") == 1000
    assert value(text, "cachery_compression_output_bytes_total") == 250
    assert value(text, "cachery_invalidations_total") == 1
    assert value(text, "cachery_invalidated_keys_total") == 7
    assert value(text, "cachery_memory_bytes") == 200 * 1024 * 1024
    assert value(text, "cachery_alert_active", alert="memory_critical", severity="critical") == 1
    assert value(text, "cachery_alert_active", alert="hit_rate_low", severity="warning") == 0
    assert "# TYPE cachery_operation_duration_seconds summary" in text
    assert "secret" not in text
    clock.advance(7200)
    text = scrape(monitor=monitor)
    assert math.isnan(value(text, "cachery_operation_duration_seconds", operation="get", quantile="0.95"))
    assert value(text, "cachery_operation_duration_seconds_count", operation="get") == 20


@dataclass(frozen=True)
class Saving:
    model: str | None
    operation: str
    scope: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float


def test_savings_are_scraped_without_their_scope(scrape: Scrape) -> None:
    records = [
        Saving("large", "summarize", "secret-scope-1", 2, 100, 10, 1.5),
        Saving("large", "summarize", "secret-scope-2", 1, 50, 5, 0.5),
        Saving(None, "qa", "secret-scope-1", 1, 0, 0, 0.25),
    ]
    text = scrape(SimpleNamespace(name="ai", savings=lambda: records))
    labels = {"cache": "ai", "model": "large", "operation": "summarize"}
    assert value(text, "cachery_ai_calls_saved_total", **labels) == 3
    assert value(text, "cachery_ai_input_tokens_saved_total", **labels) == 150
    assert value(text, "cachery_ai_output_tokens_saved_total", **labels) == 15
    assert value(text, "cachery_ai_saved_seconds_total", **labels) == 2.0
    assert value(text, "cachery_ai_calls_saved_total", cache="ai", model="", operation="qa") == 1
    assert "scope" not in text


def test_no_key_and_no_value_is_scraped(scrape: Scrape) -> None:
    cache = InMemoryCache(max_size=1, name="answers")
    for secret in SECRETS:
        cache.set(secret, secret, tags=[secret])
        cache.get(secret)
        cache.get_or_set(secret, lambda: "secret-value")
    text = scrape(cache)
    assert "secret" not in text


def test_names_follow_the_conventions_of_prometheus(scrape: Scrape) -> None:
    monitor = CachePerformanceMonitor()
    monitor.record_cache_operation_time("get", 0.1, cache_hit=True)
    for family in text_string_to_metric_families(scrape(InMemoryCache(), monitor=monitor)):
        assert family.name.startswith("cachery_")
        assert family.documentation
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)


def test_what_is_no_cache_and_no_monitor_is_refused() -> None:
    with pytest.raises(CacheValueError, match="neither"):
        CacheCollector(object())
    with pytest.raises(CacheValueError, match="monitor"):
        CacheCollector(monitor="nonsense")  # type: ignore[arg-type]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)
    with pytest.raises(ImportError, match=r"cachery\[prometheus\]"):
        CacheCollector(InMemoryCache())
