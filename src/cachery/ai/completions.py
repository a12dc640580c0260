"""Calls to models, kept: one call for equal requests, and complete replies only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from cachery.ai.calling import called, caller_of, plain_reply, rebuilt
from cachery.ai.keys import CacheKeyGenerator
from cachery.ai.loads import Loads
from cachery.ai.record import Facts
from cachery.ai.replies import UNKNOWN, tokens_of, why_incomplete
from cachery.ai.requests import ModelRequest, model_request
from cachery.ai.shelf import Made, Shelf, Slot
from cachery.ai.tally import Asked, Tally
from cachery.ports.clock import stopwatch, wall

__all__ = ["Completion", "Completions"]

_logger = logging.getLogger("cachery.ai")


class Completion(NamedTuple):
    """How one request is to be answered. ``ttl``: seconds; ``options``: those of loads."""

    operation: str
    scope: str
    ttl: float
    response_type: Any
    is_complete: Callable[[Any], bool] | None
    is_refresh: bool
    options: Mapping[str, Any]


class Completions:
    """Answers requests from ``shelf``, or by a call."""

    def __init__(self, shelf: Shelf, keys: CacheKeyGenerator, tally: Tally) -> None:
        self._shelf = shelf
        self._loads = Loads(shelf, tally)
        self._keys = keys
        self._tally = tally
        self._is_warned = False

    async def answer(self, request: Any, call: Callable[..., Any], how: Completion, irrelevant: frozenset[str]) -> Any:
        """Return the reply to ``request``."""
        begun, make_call = stopwatch(), caller_of(call)
        wanted = model_request(request, irrelevant)
        asked = Asked(how.operation, wanted.model, how.scope, 0, "", begun)
        if wanted.reason is not None:
            _logger.debug("a request is passed on, not kept: %s", wanted.reason)
            reply = await called(lambda: make_call(request))
            self._tally.answered(asked, "passed", Facts(wall(), 0, stopwatch() - begun))
            return reply
        slot = Slot(self._key(wanted, how), how.ttl, in_memory=True)
        if how.is_refresh:
            await self._shelf.remove(slot.key)
        loaded = await self._loads.answer(
            asked, slot, lambda: make_call(request), partial(self._made, how.is_complete), how.options
        )
        return rebuilt(loaded.answer.response, how.response_type)

    def _key(self, wanted: ModelRequest, how: Completion) -> str:
        return self._keys.generate_request_key(wanted.fields, how.operation, wanted.model, scope=how.scope)

    def _made(self, is_complete: Callable[[Any], bool] | None, reply: Any, seconds: float) -> Made:
        plain = plain_reply(reply)
        facts = Facts(wall(), 0, seconds, *tokens_of(plain))
        return Made(plain, facts, self._is_to_be_kept(plain, is_complete))

    def _is_to_be_kept(self, reply: Any, is_complete: Callable[[Any], bool] | None) -> bool:
        if is_complete is not None:
            return bool(is_complete(reply))
        reason = why_incomplete(reply)
        if reason is UNKNOWN and not self._is_warned:
            self._is_warned = True
            _logger.warning("a reply is not kept: %s; write is_complete= with a function that can tell", reason)
        elif reason is not None:
            _logger.debug("a reply is not kept: %s", reason)
        return reason is None
