"""``AIResponseCache``: answers of models, kept in memory before Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any, TypeAlias, overload

from cachery.ai.calling import answer_type
from cachery.ai.completions import Completion, Completions
from cachery.ai.hashing import HashAlgorithm
from cachery.ai.invalidations import Invalidations
from cachery.ai.keys import CacheKeyGenerator
from cachery.ai.loads import Loads
from cachery.ai.managed import ManagedCache
from cachery.ai.places import place_for
from cachery.ai.policy import AnswerPolicy
from cachery.ai.record import Answer, Facts, Recipe
from cachery.ai.requests import IRRELEVANT_FIELDS
from cachery.ai.scopes import Scope, ScopePolicy
from cachery.ai.shelf import Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds
from cachery.model.sizes import Size, bytes_of
from cachery.monitoring import CachePerformanceMonitor
from cachery.ports.clock import Clock, stopwatch, wall
from cachery.serializers.compression import Compression
from cachery.serializers.registry import create_serializer
from cachery.serializers.serializer import CacheSerializer

__all__ = ["AIResponseCache"]

_LONG_TEXT = 1 << 22
"""Characters from which on making a key takes so long that the loop is not kept waiting."""

_logger = logging.getLogger("cachery.ai")

_Asking: TypeAlias = Callable[..., Awaitable[Any]]


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
        self.redis_url, self.name, self.memory_cache_size = redis_url, name, memory_cache_size
        self._policy = AnswerPolicy.of(default_ttl, operation_ttls, text_size_tiers, memory_tiers)
        recipe = _recipe(serializer, compression, compression_level, compression_threshold, max_response_bytes)
        self.performance_monitor = performance_monitor or CachePerformanceMonitor()
        self.key_generator = CacheKeyGenerator(
            text_hash_threshold, hash_algorithm, self.performance_monitor, secret=key_secret, text_in_key=text_in_key
        )
        self._irrelevant = frozenset(irrelevant_fields)
        given = redis_options if redis_url is None else {"name": name, **redis_options}
        self._place = place_for(redis_url, memory_cache_size, clock, given)
        self._scopes = ScopePolicy(scope, is_shared=redis_url is not None)
        self._shelf = Shelf(self._place, recipe)
        self._tally = Tally(name, self.performance_monitor, self._place)
        self._loads = Loads(self._shelf, self._tally)
        self._completions = Completions(self._shelf, self.key_generator, self._tally)
        self._invalidations = Invalidations(self._place, self.key_generator, self.performance_monitor)
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
        self._tally.looked(asked, is_hit=answer is not None, is_at_hand=is_at_hand)
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
        **load_options: Any,
    ) -> Any:
        """Return the stored response; where there is none, that of ``compute``, which is called once for all who ask.

        ``compute`` takes nothing and is awaited where it has to be. What it raises is raised, and nothing is stored.
        ``cache_hit`` is false for who called it, and for those who waited for it. ``load_options``: those of
        ``get_or_set``, such as ``stale_ttl``. Raises ``CacheValueError`` where nobody says a ``scope`` and the cache is
        shared.
        """
        if not callable(compute):
            raise CacheValueError(f"compute is a function that returns the response, not {type(compute).__name__}")
        asked, slot = await self._asked(text, operation, options, question, self._scopes.of(scope), ttl)
        loaded = await self._loads.answer(
            asked,
            slot,
            compute,
            lambda response, spent: Made(response, Facts(wall(), len(text), spent)),
            load_options,
        )
        return _shown(loaded.answer, is_hit=loaded.is_hit)

    # Calls to models

    async def cached_completion(  # noqa: PLR0913 - independent, all but two by name
        self,
        request: Any,
        call: Callable[..., Any],
        *,
        operation: str = "completion",
        scope: str | None = None,
        ttl: Duration | None = None,
        response_type: Any = None,
        is_complete: Callable[[Any], bool] | None = None,
        refresh: bool = False,
        **load_options: Any,
    ) -> Any:
        """Return the reply to ``request``, kept or by ``call``; equal requests at the same time share one call.

        ``request``: what the model is asked, a mapping or an object of pydantic; every field is part of the key but for
        those in ``IRRELEVANT_FIELDS``. ``call`` is given the request, or its fields by name, and is awaited where it
        has to be. The reply is plain data, or a ``response_type``. Only complete replies are kept: not those cut off,
        refused or failed, and of unknown forms only what ``is_complete`` says is so. Streams, what runs in the
        background and conversations that the provider keeps are passed on. ``refresh``: ask anew in any case.

        >>> import asyncio
        >>> async def call(request):
        ...     return {"choices": [{"finish_reason": "stop", "message": {"content": "4"}}]}
        >>> async def main():
        ...     async with AIResponseCache(redis_url=None) as cache:
        ...         return await cache.cached_completion({"model": "small-1", "messages": []}, call)
        >>> asyncio.run(main())["choices"][0]["message"]["content"]
        '4'
        """
        life = self._policy.ttl(operation) if ttl is None else seconds(ttl)
        whose = self._scopes.of(scope)
        how = Completion(operation, whose, life, response_type, is_complete, refresh, load_options)
        return await self._completions.answer(request, call, how, self._irrelevant)

    @overload
    def completions(self, call: Callable[..., Any], /, **options: Any) -> _Asking: ...
    @overload
    def completions(self, call: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], _Asking]: ...
    def completions(self, call: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Return ``call``, a function that asks a model, or a method of a client, with its replies kept.

        It is called with the fields of the request by name, or with a request. ``options`` are those of
        ``cached_completion``; the annotated return type of ``call`` is its ``response_type``. Without ``call``, a
        decorator.

        >>> cache = AIResponseCache(redis_url=None)
        >>> @cache.completions(ttl="1h")
        ... async def ask(**request):
        ...     return {"type": "message", "content": [], "stop_reason": "end_turn"}
        """
        if call is None:
            return lambda function: self.completions(function, **options)
        given = {"response_type": answer_type(call), **options}

        @wraps(call)
        async def ask(request: Any = None, /, **fields: Any) -> Any:
            if request is not None and fields:
                raise CacheValueError("write the request, or its fields by name, not both")
            wanted = fields if request is None else request
            return await self.cached_completion(wanted, call, **given)

        return ask

    # Values by key

    async def get(self, key: str) -> Any | None:
        """Return what is stored under ``key``, a response without the fields that ``get_cached_response`` adds."""
        asked, slot = self._plain(key, None)
        answer, is_at_hand = await self._shelf.find(slot)
        self._tally.looked(asked, is_hit=answer is not None, is_at_hand=is_at_hand)
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
        if isinstance(text, str) and len(text) > _LONG_TEXT:
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
def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _recipe(serializer: str | CacheSerializer, compression: str, level: int, threshold: int, limit: Size) -> Recipe:
    made = create_serializer(serializer)
    if made.can_run_code:
        raise CacheValueError(f"an answer is plain data, and {made.name} runs code when it is read: take another")
    if type(threshold) is not int or threshold < 0:
        raise CacheValueError(f"compression_threshold is a number of bytes, 0 or more, not {threshold!r}")
    most = bytes_of(limit, "max_response_bytes")
    return Recipe(made, Compression(compression, level, limit=most), threshold)
