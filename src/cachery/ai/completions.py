"""Calls to models, kept: one call for equal requests, and complete replies only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from cachery.ai.calling import called, plain_reply, rebuilt
from cachery.ai.keys import CacheKeyGenerator
from cachery.ai.loads import Attempt, Loads
from cachery.ai.record import Facts
from cachery.ai.replies import UNKNOWN, tokens_of, why_incomplete
from cachery.ai.requests import ModelRequest, model_request
from cachery.ai.shelf import Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.exceptions import CacheSerializationError
from cachery.ports.clock import stopwatch, wall

__all__ = ["Completion", "Completions"]

_logger = logging.getLogger("cachery.ai")


class Completion(NamedTuple):
    """How one request is to be answered.

    ``source``: what tells its answers from those of other functions and servers; ``ttl``: seconds; ``options``: those
    of loads.
    """

    operation: str
    source: tuple[str, ...]
    scope: str
    ttl: float
    response_type: Any
    is_complete: Callable[[Any], Any] | None
    is_refresh: bool
    options: Mapping[str, Any]


class Completions:
    """Answers requests from ``shelf``, or by a call. ``irrelevant``: the fields of a request that do not count."""

    def __init__(self, shelf: Shelf, keys: CacheKeyGenerator, tally: Tally, irrelevant: frozenset[str]) -> None:
        self._shelf = shelf
        self._loads = Loads(shelf, tally)
        self._keys = keys
        self._tally = tally
        self._irrelevant = irrelevant
        self._said: set[str] = set()

    async def answer(self, request: Any, call: Callable[[], Any], how: Completion) -> Any:
        """Return the reply to ``request``, kept or by ``call``."""
        begun = stopwatch()
        wanted = model_request(request, self._irrelevant)
        asked = Asked(how.operation, wanted.model, how.scope, 0, "", begun)
        if wanted.reason is not None:
            _logger.debug("a request is passed on, not kept: %s", wanted.reason)
            return await self._passed(asked, call)
        slot = Slot(self._key(wanted, how), how.ttl, in_memory=True)
        attempt = Attempt(call, partial(self._made, how))
        try:
            return await self._reply(asked, slot, attempt, how)
        except CacheSerializationError as error:  # the call is paid for
            self._say("serialize", "a reply is not kept: %s", error)
            return attempt.response if attempt.is_over else await self._passed(asked, call)

    def key_of(self, request: Any, how: Completion) -> str:
        """Return the key of the reply to ``request``."""
        return self._key(model_request(request, self._irrelevant), how)

    async def forget(self, request: Any, how: Completion) -> bool:
        """Remove the reply to ``request``; True if there was one."""
        return await self._shelf.remove(self.key_of(request, how))

    def _key(self, wanted: ModelRequest, how: Completion) -> str:
        content = (how.source, *wanted.content)
        return self._keys.generate_request_key(content, how.operation, wanted.model, scope=how.scope)

    async def _passed(self, asked: Asked, call: Callable[[], Any]) -> Any:
        reply = await called(call)
        self._tally.answered(asked, "passed", Facts(wall(), 0, stopwatch() - asked.begun))
        return reply

    async def _reply(self, asked: Asked, slot: Slot, attempt: Attempt, how: Completion) -> Any:
        loaded = await self._loads.answer(asked, slot, attempt, how.options, is_anew=how.is_refresh)
        kind, response = how.response_type, loaded.answer.response
        if loaded.outcome == "computed" and isinstance(kind, type) and isinstance(attempt.response, kind):
            return attempt.response
        try:
            return rebuilt(response, kind)
        except Exception as error:
            if loaded.outcome not in {"hit", "stale"}:
                raise
            self._say("rebuild", "what is kept cannot be made into %s, and is asked for anew: %s", kind, type(error))
        return await self._reply(asked, slot, attempt, how._replace(is_refresh=True))

    async def _made(self, how: Completion, reply: Any, seconds: float) -> Made:
        plain = plain_reply(reply)
        facts = Facts(wall(), 0, seconds, *tokens_of(plain))
        return Made(plain, facts, await self._is_to_be_kept(plain, how) and self._can_be_rebuilt(plain, how))

    async def _is_to_be_kept(self, reply: Any, how: Completion) -> bool:
        judge = how.is_complete
        if judge is not None:
            return bool(await called(lambda: judge(reply)))
        reason = why_incomplete(reply)
        if reason is UNKNOWN:
            self._say("form", "a reply is not kept: %s; write is_complete= with a function that can tell", reason)
        elif reason is not None:
            _logger.debug("a reply is not kept: %s", reason)
        return reason is None

    def _can_be_rebuilt(self, reply: Any, how: Completion) -> bool:
        try:
            rebuilt(reply, how.response_type)
        except Exception as error:  # noqa: BLE001 - whatever a class makes of it
            self._say("rebuild", "a reply is not kept: it is no %s again: %s", how.response_type, type(error))
            return False
        return True

    def _say(self, what: str, message: str, *details: object) -> None:
        """Write a line into the log, the first time only."""
        if what not in self._said:
            self._said.add(what)
            _logger.warning(message, *details)
