"""``AIResponseCache``: answers of models, kept in memory before Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from cachery.ai.asking import Asking, AskingOptions, kept_function
from cachery.ai.calling import caller_of, source_of
from cachery.ai.completions import Completion, Completions
from cachery.ai.hashing import HashAlgorithm
from cachery.ai.keys import CacheKeyGenerator, checked_operation
from cachery.ai.loads import AnswerOptions, Attempt, Loads, checked_options
from cachery.ai.managed import ManagedCache
from cachery.ai.places import place_for
from cachery.ai.policy import AnswerPolicy
from cachery.ai.record import Answer, Facts
from cachery.ai.replies import may_be_kept
from cachery.ai.requests import IRRELEVANT_FIELDS, checked_irrelevant
from cachery.ai.scopes import Scope, ScopePolicy, checked_scope
from cachery.ai.settings import checked_monitor, named, recipe_of
from cachery.ai.shelf import Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds
from cachery.model.sizes import Size
from cachery.monitoring import CachePerformanceMonitor
from cachery.ports.clock import Clock, stopwatch, wall
from cachery.serializers.serializer import CacheSerializer

__all__ = ["AIResponseCache"]

_LONG_TEXT = 1 << 22
"""Characters from which on making a key takes so long that the loop is not kept waiting."""

_logger = logging.getLogger("cachery.ai")

P = ParamSpec("P")
R = TypeVar("R")


class AIResponseCache(ManagedCache):
    """Keeps answers of models: in memory before Redis, or in memory alone while Redis is away.

    ``redis_url``: where the answers are shared; ``None`` for memory alone. ``default_ttl`` and ``operation_ttls``: how
    long an answer lives, by operation: ``summarize`` and ``key_points`` 2 hours, ``sentiment`` a day, ``questions`` an
    hour, ``qa`` 30 minutes, if nothing else is said. ``scope``: whose the answers are, for calls that do not say it: a
    tenant, ``"public"``, or a function that knows. Answers of one scope never reach another.

    ``text_size_tiers``: the characters from which on a text is no longer ``small`` (500), ``medium`` (5,000), ``large``
    (50,000). ``memory_tiers``: those whose answers memory holds too; ``memory_cache_size``: how many, 0 for none.
    Responses of more than ``compression_threshold`` bytes are compressed by ``compression`` (``"zlib"``, ``"zstd"``,
    ``"lz4"``) at ``compression_level``. ``serializer``: ``"json"``, ``"msgpack"``, ``"typed"``; a response of more than
    ``max_response_bytes`` is refused.

    ``key_secret``: with it, nobody without it can find out by guessing whether a text was asked. ``text_in_key``: show
    texts of up to ``text_hash_threshold`` characters in their keys. ``hash_algorithm``: instead of BLAKE2b.
    ``irrelevant_fields``: fields of requests that do not decide about the answer. ``redis_options``: all else that
    ``RedisCache`` takes, such as ``password=``, ``secret=``, ``encryption=``, ``timeout=``.

    Raises ``CacheValueError`` for settings that cannot be. A server that cannot be reached raises nothing: what is
    asked then is answered from memory, and the server is told later.

    >>> import asyncio
    >>> async def main():
    ...     async with AIResponseCache(redis_url=None) as cache:
    ...         await cache.cache_response("A document", "summarize", {"max_length": 100}, {"summary": "Brief"})
    ...         return await cache.get_cached_response("A document", "summarize", {"max_length": 100})
    >>> answer = asyncio.run(main())
    >>> answer["summary"], answer["cache_hit"], answer["text_length"], answer["compression_used"]
    ('Brief', True, 10, False)
    """

    def __init__(  # noqa: PLR0913 - independent settings, all but two by name
        self,
        redis_url: str | None = "redis://redis:6379",
        default_ttl: Duration = 3600,
        *,
        text_hash_threshold: int = 1000,
        hash_algorithm: HashAlgorithm | None = None,
        compression_threshold: int = 1000,
        compression_level: int = 6,
        text_size_tiers: Mapping[str, int] | None = None,
        memory_cache_size: int = 100,
        operation_ttls: Mapping[str, Duration] | None = None,
        performance_monitor: CachePerformanceMonitor | None = None,
        scope: Scope | None = None,
        memory_tiers: Collection[str] = ("small",),
        compression: str = "zlib",
        serializer: str | CacheSerializer = "json",
        max_response_bytes: Size = "64MiB",
        key_secret: str | bytes | None = None,
        text_in_key: bool = False,
        irrelevant_fields: Iterable[str] = IRRELEVANT_FIELDS,
        name: str = "ai_cache",
        clock: Clock | None = None,
        **redis_options: Any,
    ) -> None:
        monitor = checked_monitor(performance_monitor)
        keys = CacheKeyGenerator(
            text_hash_threshold, hash_algorithm, monitor, secret=key_secret, text_in_key=text_in_key
        )
        recipe = recipe_of(serializer, compression, compression_level, compression_threshold, max_response_bytes)
        self._policy = AnswerPolicy.of(default_ttl, operation_ttls, text_size_tiers, memory_tiers)
        self._scopes = ScopePolicy(scope, is_shared=redis_url is not None)
        irrelevant = checked_irrelevant(irrelevant_fields)
        given = redis_options if redis_url is None else {"name": named(name, recipe), **redis_options}
        place = place_for(redis_url, memory_cache_size, clock, given)
        super().__init__(place, keys, Tally(name, monitor, place), memory_cache_size, redis_url)
        self._shelf = Shelf(place, recipe)
        self._loads = Loads(self._shelf, self._tally)
        self._completions = Completions(self._shelf, keys, self._tally, irrelevant)
        self._is_warned = False

    # Answers to texts

    async def cache_response(  # noqa: PLR0913 - as callers have it
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None,
        response: Any,
        question: str | None = None,
        *,
        scope: str | None = None,
        ttl: Duration | None = None,
    ) -> bool:
        """Store ``response``; True when stored.

        ``options`` are part of the key, in whatever order they stand, and so is ``question``. ``ttl``: instead of that
        of ``operation``. Raises ``CacheSerializationError`` for a response that is no plain data, ``CacheValueError``
        and ``CacheKeyError`` for what has no place in a key. Where nobody says a scope, the answer is one of those
        without a scope, which no scope can reach.
        """
        asked, slot = await self._asked(text, operation, options, question, self._scope_if_any(scope), ttl)
        is_stored, parcel = await self._shelf.put(slot, Made(response, Facts(wall(), len(text))))
        self._tally.stored(asked, parcel, is_stored=is_stored, ttl=slot.ttl)
        return is_stored

    async def get_cached_response(
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None = None,
        question: str | None = None,
        *,
        scope: str | None = None,
    ) -> Any:
        """Return the stored response, or ``None``.

        A ``dict`` has four fields more: ``cached_at`` (text, ISO 8601, UTC), ``cache_hit``, ``text_length`` in
        characters and ``compression_used``. One that the response has itself stays as it is.
        """
        asked, slot = await self._asked(text, operation, options, question, self._scope_if_any(scope), None)
        answer, is_at_hand = await self._shelf.find(slot)
        self._tally.looked(asked, "miss" if answer is None else "hit", is_at_hand=is_at_hand)
        if answer is None:
            return None
        self._tally.answered(asked, "hit", answer.facts)
        return _shown(answer, is_hit=True)

    async def get_or_compute(  # noqa: PLR0913 - as callers have it
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None,
        compute: Callable[[], Awaitable[Any]] | Callable[[], Any],
        question: str | None = None,
        *,
        scope: str | None = None,
        ttl: Duration | None = None,
        is_complete: Callable[[Any], Any] | None = None,
        **load_options: Unpack[AnswerOptions],
    ) -> Any:
        """Return the stored response; where there is none, that of ``compute``, which is called once for all who ask.

        ``compute`` takes nothing and is awaited where it has to be. What it raises is raised, and nothing is stored;
        nor is ``None``, what ``is_complete`` says no to, or, without it, a reply of a known form that is not complete.
        ``cache_hit`` is false for who called it and for who waited for it. ``load_options``: ``stale_ttl``, ``jitter``,
        ``soft_timeout``, ``hard_timeout`` and ``breaker`` of ``get_or_set``. Raises ``CacheValueError`` where nobody
        says a ``scope`` and the cache is shared, ``CacheSerializationError`` for no plain data.
        """
        if not callable(compute):
            raise CacheValueError(f"compute is a function that returns the response, not {type(compute).__name__}")
        checked = checked_options(ttl, load_options)
        asked, slot = await self._asked(text, operation, options, question, self._scopes.of(scope), ttl)

        async def made_of(response: Any, spent: float) -> Made:
            is_kept = response is not None and await may_be_kept(response, is_complete)
            return Made(response, Facts(wall(), len(text), spent), is_kept)

        loaded = await self._loads.answer(asked, slot, Attempt(compute, made_of), checked)
        return _shown(loaded.answer, is_hit=loaded.outcome in {"hit", "stale"})

    # Calls to models

    async def cached_completion(
        self,
        request: Any,
        call: Callable[..., Any],
        *,
        refresh: bool = False,
        **options: Unpack[AskingOptions],
    ) -> Any:
        """Return the reply to ``request``, kept or by ``call``; equal requests at the same time share one call.

        ``request``: what the model is asked, a mapping or an object with fields; all of it is part of the key but for
        ``IRRELEVANT_FIELDS``. ``call`` is given the request, or its fields by name, and is awaited where it has to be;
        it is no part of the key but for the URL of its client: give calls that answer otherwise an ``operation``. The
        reply is plain data, or a ``response_type``. Only complete replies are kept: not those cut off, refused or
        failed, and of unknown forms only what ``is_complete`` says is so. Streams, what runs in the background and
        conversations that the provider keeps are passed on. ``refresh``: ask anew in any case.

        >>> import asyncio
        >>> async def call(request):
        ...     return {"choices": [{"finish_reason": "stop", "message": {"content": "4"}}]}
        >>> async def main():
        ...     async with AIResponseCache(redis_url=None) as cache:
        ...         return await cache.cached_completion({"model": "small-1", "messages": []}, call)
        >>> asyncio.run(main())["choices"][0]["message"]["content"]
        '4'
        """
        make_call = caller_of(call)
        how = self._completion(tuple(source_of(call, is_named=False)), **options)
        return await self._completions.answer(request, lambda: make_call(request), how._replace(is_refresh=refresh))

    @overload
    def completions(self, call: Callable[P, Awaitable[R]], /, **options: Unpack[AskingOptions]) -> Asking[P, R]: ...
    @overload
    def completions(
        self, call: None = None, /, **options: Unpack[AskingOptions]
    ) -> Callable[[Callable[P, Awaitable[R]]], Asking[P, R]]: ...
    def completions(self, call: Any = None, /, **options: Any) -> Any:
        """Return ``call``, a function that asks a model or a method of a client, with its replies kept.

        It is called as before. Its arguments, defaults too, are the request; its name, or ``operation`` if that is
        given, and the URL of its client are part of the key as well. ``options``: see ``AskingOptions``; the annotated
        return type of ``call`` is its ``response_type``, if that is a class of pydantic. Without ``call``, a decorator.
        Raises ``CacheValueError`` for options that cannot be, and for a generator.

        >>> cache = AIResponseCache(redis_url=None)
        >>> @cache.completions(ttl="1h")
        ... async def ask(*, model: str, text: str) -> dict:
        ...     return {"type": "message", "content": [{"text": "4"}], "stop_reason": "end_turn"}
        """
        scope = options.get("scope")
        self._checked_completion("" if scope is None else checked_scope(scope), (), **_without_scope(options))
        if call is None:
            return lambda function: kept_function(function, self._completions, self._completion, options)
        return kept_function(call, self._completions, self._completion, options)

    def _completion(self, source: tuple[str, ...], *, scope: str | None = None, **options: Any) -> Completion:
        """Return how a request is to be answered, all settings checked."""
        return self._checked_completion(self._scopes.of(scope), source, **options)

    def _checked_completion(
        self,
        scope: str,
        source: tuple[str, ...],
        *,
        operation: str = "completion",
        ttl: Duration | None = None,
        response_type: Any = None,
        is_complete: Callable[[Any], Any] | None = None,
        **load_options: Any,
    ) -> Completion:
        """Return how a request of ``scope`` is to be answered; raise ``CacheValueError`` for what cannot be."""
        for name, function in (("response_type", response_type), ("is_complete", is_complete)):
            if function is not None and not callable(function):
                raise CacheValueError(f"{name} is a class or a function, not {type(function).__name__}")
        options = checked_options(ttl, load_options)
        life = self._policy.ttl(checked_operation(operation)) if ttl is None else seconds(ttl)
        return Completion(operation, source, scope, life, response_type, is_complete, is_refresh=False, options=options)

    # Values by key

    async def get(self, key: str) -> Any | None:
        """Return what is stored under ``key``, a response without the fields that ``get_cached_response`` adds."""
        asked, slot = self._plain(key, None)
        answer, is_at_hand = await self._shelf.find(slot)
        self._tally.looked(asked, "miss" if answer is None else "hit", is_at_hand=is_at_hand)
        return None if answer is None else answer.response

    async def set(self, key: str, value: Any, ttl: Duration | None = None) -> None:
        """Store ``value`` under ``key``, for ``build_key`` and ``get``."""
        asked, slot = self._plain(key, ttl)
        is_stored, parcel = await self._shelf.put(slot, Made(value, Facts(wall(), 0)))
        self._tally.stored(asked, parcel, is_stored=is_stored, ttl=slot.ttl)

    async def delete(self, key: str) -> None:
        """Remove ``key``, if it is there."""
        await self._shelf.remove(key)

    async def exists(self, key: str) -> bool:
        """Tell whether ``key`` is there."""
        is_there: bool = await self._place.door.exists(key)
        return is_there

    def build_key(
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None = None,
        question: str | None = None,
        *,
        scope: str | None = None,
    ) -> str:
        """Return the key under which the answer to a text stands."""
        whose = self._scopes.if_any(scope)
        return self.key_generator.generate_cache_key(text, operation, options, question, scope=whose)

    # What all of these need

    def _scope_if_any(self, scope: str | None) -> str | None:
        """Return the scope of a request, which the LLM starter's verbs need not say; ``None`` is one of its own."""
        whose = self._scopes.if_any(scope)
        if whose is None and self._place.is_shared and not self._is_warned:
            self._is_warned = True
            _logger.warning("%r shares answers over Redis that have no scope: write scope=", self)
        return whose

    async def _asked(
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None,
        question: str | None,
        scope: str | None,
        ttl: Duration | None,
    ) -> tuple[Asked, Slot]:
        begun = stopwatch()
        make_key = self.key_generator.generate_cache_key
        if _is_long(text) or _is_long(question):
            key = await asyncio.to_thread(make_key, text, operation, options, question, scope=scope)
        else:
            key = make_key(text, operation, options, question, scope=scope)
        policy, size = self._policy, len(text)
        tier = policy.tier(size)
        life = policy.ttl(operation) if ttl is None else seconds(ttl)
        asked = Asked(operation, "", scope or "", size, tier, begun)
        return asked, Slot(key, life, tier in policy.in_memory)

    def _plain(self, key: str, ttl: Duration | None) -> tuple[Asked, Slot]:
        life = self._policy.default_ttl if ttl is None else seconds(ttl)
        return Asked("", "", "", 0, "", stopwatch()), Slot(key, life, in_memory=True)


def _without_scope(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "scope"}


def _is_long(text: object) -> bool:
    return isinstance(text, str) and len(text) > _LONG_TEXT


def _shown(answer: Answer, *, is_hit: bool) -> Any:
    """Return the response with what is known of it, in fields that it has not itself."""
    response, facts = answer.response, answer.facts
    if type(response) is dict:
        response.setdefault("cached_at", _moment(facts.cached_at))
        response.setdefault("cache_hit", is_hit)
        response.setdefault("text_length", facts.text_length)
        response.setdefault("compression_used", answer.is_compressed)
    return response


@lru_cache(maxsize=1024)
def _moment(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat()
