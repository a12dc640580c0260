"""Metrics and spans for OpenTelemetry, taken from its SDK as an exporter takes them."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from cachery import InMemoryCache, aio
from cachery.events import Answered, Event, Listener, Loaded, listening, notify
from cachery.exceptions import CacheValueError

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from cachery.monitoring.opentelemetry import instrument

Attributes = tuple[tuple[str, Any], ...]


@dataclass
class Station:
    """Where metrics and spans arrive."""

    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    def __post_init__(self) -> None:
        self.meters = MeterProvider([self.reader])
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))

    def instrument(self, *caches: Any, **options: Any) -> Any:
        return instrument(*caches, meter_provider=self.meters, tracer_provider=self.tracers, **options)

    def points(self) -> dict[str, dict[Attributes, Any]]:
        """The data points by metric and attributes; none may come twice."""
        found: dict[str, dict[Attributes, Any]] = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                points = found.setdefault(metric.name, {})
                for point in metric.data.data_points:
                    attributes = tuple(sorted((point.attributes or {}).items()))
                    assert attributes not in points
                    points[attributes] = point
        return found

    def value(self, name: str, **attributes: Any) -> Any:
        wanted = tuple(sorted((key.replace("__", "."), value) for key, value in attributes.items()))
        return self.points()[name][wanted].value

    def names(self) -> list[str]:
        return [span.name for span in self.spans.get_finished_spans()]

    def taken(self) -> ReadableSpan:
        (span,) = self.spans.get_finished_spans()
        return span


@pytest.fixture
def station() -> Any:
    station = Station()
    yield station
    station.meters.shutdown()
    station.tracers.shutdown()


def test_the_numbers_of_a_cache_are_observed(station: Station) -> None:
    cache = InMemoryCache(max_size=2, name="answers")
    stop = station.instrument(cache)
    cache.set("a", 1)
    cache.get("a")
    cache.get("b")
    named = {"cachery__cache__name": "answers"}
    assert station.value("cachery.cache.hits", **named) == 1
    assert station.value("cachery.cache.misses", **named) == 1
    assert station.value("cachery.cache.entries", **named) == 1
    assert station.value("cachery.cache.max_entries", **named) == 2
    stop()
    stop()
    assert station.points() == {}


def test_a_load_becomes_a_span_within_the_current_one(station: Station) -> None:
    cache = InMemoryCache(name="answers")
    stop = station.instrument(cache)
    with station.tracers.get_tracer("test").start_as_current_span("request") as request:
        cache.get_or_set("secret-key", lambda: "secret-value")
    load, outer = station.spans.get_finished_spans()
    assert (load.name, outer.name, load.kind) == ("cachery.load", "request", SpanKind.INTERNAL)
    assert load.parent is not None
    assert load.parent.span_id == request.get_span_context().span_id
    assert dict(load.attributes or {}) == {"cachery.cache.name": "answers"}
    assert load.status.status_code is StatusCode.UNSET
    assert load.start_time is not None
    assert load.end_time is not None
    assert load.start_time <= load.end_time
    (point,) = station.points()["cachery.load.duration"].values()
    assert point.count == 1
    assert 0.001 in point.explicit_bounds
    stop()


def test_a_load_that_is_awaited_becomes_a_span_within_that_of_its_task(station: Station) -> None:
    async def ask() -> None:
        async with aio.InMemoryCache(name="answers") as cache:
            station.instrument(cache)
            with station.tracers.get_tracer("test").start_as_current_span("request"):
                await cache.get_or_set("a", answer)

    async def answer() -> int:
        return 42

    asyncio.run(ask())
    load, request = station.spans.get_finished_spans()
    assert (load.name, request.name) == ("cachery.load", "request")
    assert load.parent is not None
    assert load.parent.span_id == request.context.span_id


def test_the_span_of_a_load_is_as_long_as_the_load(station: Station) -> None:
    cache = ai_cache()
    station.instrument(cache)
    cache.hub.tell(Loaded("ai", "a", 2.5))
    span = station.taken()
    assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == pytest.approx(2.5)


def test_a_load_that_fails_is_an_error(station: Station) -> None:
    cache = InMemoryCache(name="answers")
    station.instrument(cache)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_set("secret-key", lambda: 1 / 0)
    span = station.taken()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {"cachery.cache.name": "answers", "error.type": "ZeroDivisionError"}
    ((attributes, _),) = station.points()["cachery.load.duration"].items()
    assert ("error.type", "ZeroDivisionError") in attributes


def test_keys_are_told_if_that_is_asked_for_and_in_spans_only(station: Station) -> None:
    cache = InMemoryCache(name="answers")
    station.instrument(cache, with_keys=True)
    cache.get_or_set("user:42", lambda: "secret-value")
    span = station.taken()
    assert (span.attributes or {})["cachery.key"] == "user:42"
    assert "user:42" not in str(station.points())


class Hub:
    """Something to subscribe to."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Any:
        self.listeners.append(listener)
        return listening(listener, self.listeners.remove)

    def tell(self, event: Event) -> None:
        notify(tuple(self.listeners), event)


@dataclass(frozen=True)
class Saving:
    model: str | None
    operation: str
    scope: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float


def ai_cache() -> Any:
    hub = Hub()
    records = [
        Saving("large", "qa", "secret-scope-1", 1, 100, 10, 1.0),
        Saving("large", "qa", "secret-scope-2", 2, 50, 5, 2.0),
        Saving(None, "qa", "secret-scope-2", 1, 0, 0, 0.5),
    ]
    return SimpleNamespace(name="ai", savings=lambda: records, subscribe=hub.subscribe, hub=hub)


@pytest.mark.parametrize("outcome", ["computed", "passed"])
def test_an_answer_becomes_a_span_of_the_conventions(station: Station, outcome: Any) -> None:
    cache = ai_cache()
    station.instrument(cache)
    cache.hub.tell(Answered("ai", "chat", "large", outcome, 2.0, 100, 10))
    span = station.taken()
    assert (span.name, span.kind) == ("chat large", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "cachery.cache.name": "ai",
        "cachery.outcome": outcome,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "large",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
    }
    common = {
        "cachery__cache__name": "ai",
        "cachery__outcome": outcome,
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "large",
    }
    points = station.points()
    ((attributes, point),) = points["gen_ai.client.operation.duration"].items()
    assert dict(attributes) == {key.replace("__", "."): value for key, value in common.items()}
    assert (point.count, point.sum) == (1, 2.0)
    assert point.explicit_bounds[0] == 0.01
    kinds = {dict(attributes)["gen_ai.token.type"]: point.sum for attributes, point in points[TOKENS].items()}
    assert kinds == {"input": 100, "output": 10}


TOKENS = "gen_ai.client.token.usage"


def test_a_hit_is_told_apart_and_charged_to_nobody(station: Station) -> None:
    cache = ai_cache()
    station.instrument(cache)
    cache.hub.tell(Answered("ai", "chat", "large", "hit", 0.001, 100, 10))
    span = station.taken()
    attributes = dict(span.attributes or {})
    assert span.kind is SpanKind.INTERNAL
    assert attributes["cachery.outcome"] == "hit"
    assert (attributes["cachery.saved.input_tokens"], attributes["cachery.saved.output_tokens"]) == (100, 10)
    assert not any(name.startswith("gen_ai.usage") for name in attributes)
    assert TOKENS not in station.points()


def test_without_a_model_the_span_has_the_name_of_its_operation(station: Station) -> None:
    cache = ai_cache()
    station.instrument(cache)
    cache.hub.tell(Answered("ai", "qa", None, "computed", 0.5, 0, 0))
    assert station.names() == ["qa"]
    assert "gen_ai.request.model" not in (station.taken().attributes or {})


def test_savings_are_observed_without_their_scope(station: Station) -> None:
    cache = ai_cache()
    station.instrument(cache)
    large = {"cachery__cache__name": "ai", "gen_ai__operation__name": "qa", "gen_ai__request__model": "large"}
    assert station.value("cachery.ai.saved.calls", **large) == 3
    assert station.value("cachery.ai.saved.input_tokens", **large) == 150
    assert station.value("cachery.ai.saved.seconds", **large) == 3.0
    unknown = {"cachery__cache__name": "ai", "gen_ai__operation__name": "qa"}
    assert station.value("cachery.ai.saved.calls", **unknown) == 1
    assert "scope" not in str(station.points())


def test_nothing_private_is_told_by_default(station: Station) -> None:
    cache = InMemoryCache(max_size=1, name="answers")
    station.instrument(cache)
    for key in ("secret-key-1", "secret-key-2"):
        cache.set(key, "secret-value", tags=["secret-tag"])
        cache.get(key)
        cache.get_or_set(f"{key}-loaded", lambda: "secret-value")
    told = str(station.points()) + "".join(span.to_json() for span in station.spans.get_finished_spans())
    assert "cachery.cache.hits" in told
    assert "secret" not in told


def test_after_its_end_nothing_is_told_and_nobody_listens(station: Station) -> None:
    cache, ai = InMemoryCache(name="answers"), ai_cache()
    stop = station.instrument(cache, ai)
    stop()
    assert ai.hub.listeners == []
    cache.get_or_set("a", lambda: 1)
    assert station.names() == []
    assert station.points() == {}


def test_who_instruments_again_tells_nothing_twice(station: Station, caplog: pytest.LogCaptureFixture) -> None:
    first, second = InMemoryCache(), InMemoryCache()
    stop_first, stop_second = station.instrument(first), station.instrument(second)
    second.set("a", 1)
    assert station.value("cachery.cache.writes", cachery__cache__name="InMemoryCache") == 0
    assert station.value("cachery.cache.writes", cachery__cache__name="InMemoryCache-2") == 1
    stop_first()
    stop_second()
    stop = station.instrument(second)
    assert station.value("cachery.cache.writes", cachery__cache__name="InMemoryCache") == 1
    stop()
    assert [record.getMessage() for record in caplog.records] == []


def test_a_cache_that_fails_leaves_the_others_observed(station: Station) -> None:
    fine = InMemoryCache(name="fine")
    stop = station.instrument(SimpleNamespace(stats=lambda: 1 / 0, name="broken"), fine)
    assert station.value("cachery.cache.hits", cachery__cache__name="fine") == 0
    stop()


def test_what_is_no_cache_is_refused(station: Station) -> None:
    with pytest.raises(CacheValueError, match="neither"):
        station.instrument(object())
    with pytest.raises(CacheValueError, match="with_keys"):
        station.instrument(with_keys="yes")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ImportError, match=r"cachery\[opentelemetry\]"):
        instrument(InMemoryCache())
