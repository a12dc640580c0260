"""Metrics and spans for OpenTelemetry: numbers read when it asks, spans made of events. The file that knows its API.

It needs the extra ``opentelemetry``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from cachery.events import Answered, Event, Loaded, LoadFailed
from cachery.exceptions import CacheValueError
from cachery.locks import make_lock
from cachery.monitoring.readings import COUNTERS, SAVED, CacheReading, Source, named
from cachery.ports.clock import wall
from cachery.serializers.extras import import_extra

__all__ = ["instrument"]

Point: TypeAlias = tuple[float, dict[str, str]]
"""A value and its attributes."""

_NAME = "cachery.cache.name"
_OUTCOME = "cachery.outcome"
_OPERATION, _MODEL = "gen_ai.operation.name", "gen_ai.request.model"
_SECONDS_OF_LOADS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SECONDS_OF_ANSWERS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
_UNITS = {"calls": "{call}", "input_tokens": "{token}", "output_tokens": "{token}", "seconds": "s"}

_all_meters: WeakKeyDictionary[Any, _Meters] = WeakKeyDictionary()
_all_meters_lock = make_lock()


def instrument(
    *caches: Any, meter_provider: Any = None, tracer_provider: Any = None, with_keys: bool = False
) -> Callable[[], None]:
    """Export what ``caches`` do, until the function that is returned is called.

    Their numbers become observable counters and gauges. Each load becomes a span ``cachery.load`` within the span that
    is current, with status error if it failed; each request that an AI cache answered one after the conventions for
    generative AI. How long they took are histograms. Keys stand in spans only ``with_keys``; values, prompts and scopes
    nowhere. The providers are those given, or else the global ones.

    Raises ``ImportError`` when the extra is missing, ``CacheValueError`` for what is no cache.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache(name="answers")
    >>> stop = instrument(cache)  # with the API alone, without an SDK, that does nothing
    >>> cache.get_or_set("question", lambda: 42)
    42
    >>> stop()
    """
    if not isinstance(with_keys, bool):
        raise CacheValueError(f"with_keys is True or False, not {with_keys!r}")
    trace = import_extra("opentelemetry.trace", "opentelemetry")
    meters = _meters_of(meter_provider or import_extra("opentelemetry.metrics", "opentelemetry").get_meter_provider())
    tracer = (tracer_provider or trace.get_tracer_provider()).get_tracer("cachery", _version())
    sources = meters.add(caches)
    endings = [
        source.cache.subscribe(_Spans(source.name, trace, tracer, meters, with_keys=with_keys))
        for source in sources
        if hasattr(source.cache, "subscribe")
    ]

    def stop() -> None:
        while endings:
            endings.pop()()
        meters.remove(sources)

    return stop


def _version() -> str:
    """Return the version of the package, which is imported when one of its parts is."""
    return str(sys.modules["cachery"].__version__)


def _meters_of(provider: Any) -> _Meters:
    """Return the instruments of ``provider``: one set for all calls, as no two instruments may share a name."""
    with _all_meters_lock:
        meters = _all_meters.get(provider)
        if meters is None:
            meters = _all_meters[provider] = _Meters(provider)
        return meters


class _Meters:
    """The instruments, and the caches that they read."""

    def __init__(self, provider: Any) -> None:
        self._observation = import_extra("opentelemetry.metrics", "opentelemetry").Observation
        self._sources: tuple[Source, ...] = ()
        self._lock = make_lock()
        meter = provider.get_meter("cachery", _version())
        self.load_duration = _histogram(
            meter, "cachery.load.duration", "s", "How long loads took.", boundaries=_SECONDS_OF_LOADS
        )
        self.answer_duration = _histogram(
            meter, "gen_ai.client.operation.duration", "s", "GenAI operation duration.", boundaries=_SECONDS_OF_ANSWERS
        )
        self.tokens = _histogram(
            meter, "gen_ai.client.token.usage", "{token}", "Number of tokens used.", boundaries=_TOKENS
        )
        self._observe(meter)

    def add(self, caches: tuple[Any, ...]) -> list[Source]:
        """Read ``caches`` from now on."""
        with self._lock:
            sources = named(caches, (source.name for source in self._sources))
            self._sources = (*self._sources, *sources)
        return sources

    def remove(self, sources: list[Source]) -> None:
        """Read ``sources`` no more."""
        with self._lock:
            self._sources = tuple(source for source in self._sources if source not in sources)

    def _observe(self, meter: Any) -> None:
        for name, meaning in COUNTERS.items():
            callback = self._reader(partial(_counted, name))
            meter.create_observable_counter(f"cachery.cache.{name}", [callback], "1", meaning)
        for name, meaning in SAVED.items():
            callback = self._reader(partial(_saved, name))
            meter.create_observable_counter(f"cachery.ai.saved.{name}", [callback], _UNITS[name], meaning)
        for name, field, meaning in (
            ("entries", "entries", "Live entries."),
            ("max_entries", "max_entries", "The most entries there may be."),
            ("degraded", "is_degraded", "1 while a server that the cache needs is away."),
        ):
            callback = self._reader(partial(_gauged, field))
            meter.create_observable_gauge(f"cachery.cache.{name}", [callback], "1", meaning)

    def _reader(self, points: Callable[[CacheReading], Iterator[Point]]) -> Callable[[Any], list[Any]]:
        def read(_: Any) -> list[Any]:
            readings = [(source.name, source.read()) for source in self._sources]
            return [
                self._observation(value, {_NAME: name, **attributes})
                for name, reading in readings
                if reading is not None
                for value, attributes in points(reading)
            ]

        return read


def _histogram(meter: Any, name: str, unit: str, meaning: str, *, boundaries: tuple[float, ...]) -> Any:
    return meter.create_histogram(name, unit, meaning, explicit_bucket_boundaries_advisory=boundaries)


def _counted(name: str, reading: CacheReading) -> Iterator[Point]:
    if name in reading.counters:
        yield reading.counters[name], {}


def _gauged(field: str, reading: CacheReading) -> Iterator[Point]:
    value = getattr(reading, field)
    if value is not None:
        yield int(value), {}


def _saved(name: str, reading: CacheReading) -> Iterator[Point]:
    for (model, operation), sums in reading.savings.items():
        yield sums[name], {_OPERATION: operation, **({_MODEL: model} if model else {})}


class _Spans:
    """A listener that makes spans and measurements of loads and answers."""

    def __init__(self, name: str, trace: Any, tracer: Any, meters: _Meters, *, with_keys: bool) -> None:
        self._name = name
        self._trace, self._tracer, self._meters = trace, tracer, meters
        self._with_keys = with_keys

    def __call__(self, event: Event) -> None:
        if isinstance(event, Loaded | LoadFailed):
            self._loaded(event)
        elif isinstance(event, Answered):
            self._answered(event)

    def _loaded(self, event: Loaded | LoadFailed) -> None:
        attributes = {_NAME: self._name}
        if isinstance(event, LoadFailed):
            attributes["error.type"] = event.error
        self._meters.load_duration.record(event.duration, attributes)
        if self._with_keys:
            attributes = {**attributes, "cachery.key": event.key}
        error = attributes.get("error.type")
        self._span("cachery.load", self._trace.SpanKind.INTERNAL, event.duration, attributes, error)

    def _answered(self, event: Answered) -> None:
        """Make a span. What a hit would have taken is not told as usage: nobody is charged for it."""
        is_hit = event.outcome == "hit"
        common = {_NAME: self._name, _OPERATION: event.operation, _OUTCOME: event.outcome}
        if event.model is not None:
            common[_MODEL] = event.model
        if event.error is not None:
            common["error.type"] = event.error
        known = {"input": event.input_tokens, "output": event.output_tokens}
        tokens = {kind: count for kind, count in known.items() if count}  # 0 says that nobody knows
        prefix = "cachery.saved" if is_hit else "gen_ai.usage"
        attributes = {**common, **{f"{prefix}.{kind}_tokens": count for kind, count in tokens.items()}}
        self._meters.answer_duration.record(event.duration, common)
        for kind, count in tokens.items():
            if not is_hit:
                self._meters.tokens.record(count, {**common, "gen_ai.token.type": kind})
        kinds = self._trace.SpanKind
        name = event.operation if event.model is None else f"{event.operation} {event.model}"
        self._span(name, kinds.INTERNAL if is_hit else kinds.CLIENT, event.duration, attributes, event.error)

    def _span(
        self, name: str, kind: Any, duration: float, attributes: dict[str, Any], error: str | None = None
    ) -> None:
        """Make a span that ends now."""
        end = int(wall() * 1e9)
        begin = end - int(duration * 1e9)
        span = self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=begin)
        if error is not None:
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, error))
        span.end(end_time=end)
