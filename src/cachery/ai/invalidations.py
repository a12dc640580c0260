"""Removing answers, from memory and server alike, and what of it is remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from cachery.ai.keys import CacheKeyGenerator, checked_operation, quoted
from cachery.ai.places import Place
from cachery.ai.scopes import checked_scope
from cachery.ai.tally import Tally
from cachery.exceptions import CacheValueError
from cachery.keys.glob import escape_glob
from cachery.ports.clock import stopwatch

__all__ = ["Invalidations"]

_ALL = "ai_cache:*"


class Invalidations:
    """Removes answers from ``place`` by what stands in their keys."""

    def __init__(self, place: Place, keys: CacheKeyGenerator, tally: Tally) -> None:
        self._place = place
        self._keys = keys
        self._tally = tally

    async def by_pattern(self, pattern: str, context: str) -> int:
        """Remove the answers in whose keys the glob ``pattern`` stands somewhere."""
        if not isinstance(pattern, str) or not pattern:
            raise CacheValueError(f"a pattern is text, and an empty one would match everything, not {pattern!r}")
        return await self._matching(pattern, f"{_ALL}{pattern}*", context)

    async def by_operation(self, operation: str, context: str) -> int:
        """Remove the answers of ``operation``, and of none that only begins like it."""
        name = f"op:{checked_operation(operation)}"
        return await self._matching(name, f"ai_cache:{name}|*", context or f"operation_specific_{operation}")

    async def by_model(self, model: str, context: str) -> int:
        """Remove the replies of ``model``."""
        if not isinstance(model, str):
            raise CacheValueError(f"a model is named by a str, not {type(model).__name__}")
        return await self._matching(f"model:{model}", f"{_ALL}|model:{escape_glob(quoted(model))}|*", context)

    async def by_scope(self, scope: str, context: str) -> int:
        """Remove the answers of ``scope``. What is remembered does not name it."""
        return await self._matching("scope", f"{_ALL}{self._keys.scope_part(checked_scope(scope))}*", context)

    async def everything(self, context: str) -> int:
        """Remove all answers."""
        return await self._noted("*", "manual", context, self._clear)

    async def memory(self, context: str) -> int:
        """Remove what this process has in memory, and nothing else where there is something else."""
        return await self._noted("memory_cache", "memory", context, self._clear_memory)

    async def _matching(self, name: str, glob: str, context: str) -> int:
        return await self._noted(name, "manual", context, lambda: self._place.door.delete_pattern(glob))

    async def _noted(
        self, name: str, kind: Literal["manual", "memory"], context: str, remove: Callable[[], Awaitable[int]]
    ) -> int:
        begun, count, status = stopwatch(), 0, "failed"
        try:
            count = await remove()
            status = "success"
        finally:
            details = {"status": status, "search_pattern": name}
            spent = stopwatch() - begun
            self._tally.monitor.record_invalidation_event(name, count, spent, kind, context, details)
        self._tally.removed(count)
        return count

    async def _clear(self) -> int:
        count: int = await self._place.door.size()
        await self._place.door.clear()
        return count

    async def _clear_memory(self) -> int:
        memory = self._place.memory
        if memory is None:
            return 0
        count = len(memory)
        memory.clear()
        return count
