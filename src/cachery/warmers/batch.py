"""One batch: loaded, tried again where that failed, stored. Written once, for threads and for event loops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import isawaitable
from typing import Any, TypeAlias

from cachery.exceptions import CacheClosedError, CacheValueError
from cachery.model.values import is_used_up, used_up
from cachery.warmers.loaders import NOTHING, checked_batch
from cachery.warmers.naming import name_of
from cachery.warmers.retrying import Sleep
from cachery.warmers.stats import Result
from cachery.warmers.targets import Target, reason_of

__all__ = ["Ask", "Job", "ask_here", "ask_loop"]

Ask: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a function with the arguments that follow it, and returns what it returns in the end."""


async def ask_here(function: Callable[..., Any], *args: Any) -> Any:
    """Return what ``function``, which is not asynchronous, returns. Raises ``CacheValueError`` if it is."""
    value = function(*args)
    if is_used_up(value) and isawaitable(value):
        value.close()  # type: ignore[attr-defined]  # nobody will await it
        raise CacheValueError(f"{name_of(function)} is asynchronous: use AsyncCacheWarmer, over a cache of cachery.aio")
    return value


async def ask_loop(function: Callable[..., Any], *args: Any) -> Any:
    """Return what ``function`` returns, awaited if it is to be."""
    value = function(*args)
    return await value if isawaitable(value) else value


@dataclass(frozen=True, slots=True)
class Job:
    """What a run does with each batch. ``is_over``: whether nothing more is to be done."""

    target: Target
    loader: Any
    ask: Ask
    retry: Callable[..., Awaitable[None]] | None
    sleep: Sleep
    is_over: Callable[[], bool]

    async def warm(self, keys: Sequence[Any]) -> Result | None:
        """Load and store ``keys``; ``None`` when the run was over before anything could be stored.

        A cache that fails is the failure of these keys; one that is closed raises ``CacheClosedError``.
        """
        try:
            return await self._warm(keys)
        except CacheClosedError:
            raise
        except Exception as error:  # noqa: BLE001 - counted, with its reason
            return Result(failed=dict.fromkeys(keys, reason_of(error)))

    async def _warm(self, keys: Sequence[Any]) -> Result | None:
        tokens = await self.target.begin(keys)
        try:
            loads = _Loads()
            await self._load(keys, loads)
            if self.retry is not None and loads.failed and not self.is_over():
                await self.retry(lambda: self._load_again(loads), self.sleep, self.is_over)
            if self.is_over():
                return None
            stored = await self.target.store(loads.values, tokens) if loads.values else Result()
            return replace(stored, failed={**loads.lasting, **loads.failed, **stored.failed})
        finally:
            self.target.end(tokens)

    async def _load_again(self, loads: _Loads) -> bool:
        """Load each key that failed, alone; True when one failed again."""
        keys = list(loads.failed)
        loads.failed.clear()
        await self._load_each(keys, loads)
        return bool(loads.failed)

    async def _load(self, keys: Sequence[Any], loads: _Loads) -> None:
        load_batch = getattr(self.loader, "load_batch", None)
        if load_batch is None or len(keys) == 1:
            return await self._load_each(keys, loads)
        try:
            loads.take(keys, checked_batch(await self.ask(load_batch, list(keys))))
        except Exception:  # noqa: BLE001 - which of them it was, each shows alone
            await self._load_each(keys, loads)

    async def _load_each(self, keys: Sequence[Any], loads: _Loads) -> None:
        ask, is_over = self.ask, self.is_over
        load_batch = getattr(self.loader, "load_batch", None)
        load = self.loader.load
        for key in keys:
            if is_over():
                return
            try:
                if load_batch is not None:
                    loads.take([key], checked_batch(await ask(load_batch, [key])))
                elif is_used_up(value := await ask(load, key)):
                    loads.refuse(key, value)
                else:
                    loads.values[key] = value
            except Exception as error:  # noqa: BLE001 - counted, with its reason
                loads.failed[key] = reason_of(error)


@dataclass(slots=True)
class _Loads:
    """What was loaded of a batch, what ``failed`` and may be tried again, and what would fail for ever."""

    values: dict[Any, Any] = field(default_factory=dict)
    failed: dict[Any, str] = field(default_factory=dict)
    lasting: dict[Any, str] = field(default_factory=dict)

    def take(self, keys: Sequence[Any], found: Mapping[Any, Any]) -> None:
        for key in keys:
            if key not in found:
                self.lasting[key] = NOTHING
            elif is_used_up(found[key]):
                self.refuse(key, found[key])
            else:
                self.values[key] = found[key]

    def refuse(self, key: Any, value: Any) -> None:
        self.lasting[key] = str(used_up(value))
