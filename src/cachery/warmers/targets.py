"""What is warmed: a dictionary, or a cache with the tokens of its own loads (``ports/backend.py``).

A token is opened for each key before its load begins, and the value is written with it. So what somebody sets, deletes
or invalidates meanwhile is newer and stays. A dictionary knows nothing of the kind.

Written once, awaited: a blocking cache never suspends, so its coroutines are carried through by a single step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar

from cachery.backends.adapt import Inline
from cachery.engine.core import Engine
from cachery.engine.stamps import entry_of, life_of_value
from cachery.exceptions import CacheValueError
from cachery.keys.text import exact_key, exact_tags
from cachery.model.durations import seconds
from cachery.model.entry import Entry
from cachery.model.marks import prefixed
from cachery.model.options import load_options
from cachery.sources.source import Source, exact_sources
from cachery.warmers.config import WarmingConfig
from cachery.warmers.stats import Result

__all__ = ["CacheTarget", "MappingTarget", "Target", "reason_of"]

T = TypeVar("T")

_REFUSED = "the cache did not keep it: it is too large, its TTL is over, or the store is away"


class Target(Protocol):
    """Where warmed values go."""

    def checked(self, keys: Sequence[Any]) -> list[Any]:
        """Return ``keys``, each once. Raises ``CacheKeyError`` for one that cannot be a key."""

    async def begin(self, keys: Sequence[Any]) -> Mapping[Any, Any]:
        """Note that the loads of ``keys`` begin now; return a token for each."""

    async def store(self, values: Mapping[Any, Any], tokens: Mapping[Any, Any]) -> Result:
        """Store ``values``, each unless it was overtaken."""

    def end(self, tokens: Mapping[Any, Any]) -> None:
        """Forget ``tokens``."""


class MappingTarget:
    """A dictionary, or anything that is filled like one."""

    def __init__(self, mapping: MutableMapping[Any, Any], config: WarmingConfig) -> None:
        if config.needs_a_cache:
            raise CacheValueError(
                "a dictionary has no ttl, jitter, tags or sources: warm a cache, InMemoryCache() for instance"
            )
        self._mapping = mapping

    def checked(self, keys: Sequence[Any]) -> list[Any]:
        """Return ``keys``, each once."""
        return list(dict.fromkeys(keys))

    async def begin(self, keys: Sequence[Any]) -> Mapping[Any, Any]:
        """Return no tokens."""
        del keys
        return {}

    async def store(self, values: Mapping[Any, Any], tokens: Mapping[Any, Any]) -> Result:
        """Store ``values`` at once."""
        del tokens
        self._mapping.update(values)
        return Result(len(values))

    def end(self, tokens: Mapping[Any, Any]) -> None:
        """Do nothing."""


class CacheTarget:
    """A cache, through the ``engine`` of its loads. ``random``: numbers from 0 to 1, for the jitter."""

    def __init__(self, engine: Engine[Any], config: WarmingConfig, random: Callable[[], float]) -> None:
        self._backend = engine.backend
        self._sink = engine.sink
        self._prefix = engine.loading.prefix
        self._at_once = self._backend.blocking if isinstance(self._backend, Inline) else None
        self._is_alone = engine.runtime.is_inline
        self._ttl = config.ttl if callable(config.ttl) else None
        self._options = load_options(None if callable(config.ttl) else config.ttl, jitter=config.jitter)
        self._tags_of = config.tags if callable(config.tags) else None
        self._tags = () if callable(config.tags) else self._prefixed(config.tags)
        self._sources_of = config.depends_on if callable(config.depends_on) else None
        self._sources = () if callable(config.depends_on) else self._within(config.depends_on)
        self._random = random

    def checked(self, keys: Sequence[Any]) -> list[Any]:
        """Return ``keys``, each once, as plain ``str``."""
        return list(dict.fromkeys([key if type(key) is str else exact_key(key) for key in keys]))

    async def begin(self, keys: Sequence[Any]) -> Mapping[Any, Any]:
        """Open a token for each of ``keys``, and look at what their values depend on."""
        tokens = _Tokens()
        try:
            if self._at_once is not None:
                open_token, prefix = self._at_once.open_token, self._prefix
                for key in keys:
                    tokens[key] = open_token(prefix + key)
            else:
                await self._all([self._open(key, tokens) for key in keys])
            await self._observe(keys, tokens)
        except BaseException:
            self.end(tokens)
            raise
        return tokens

    async def _open(self, key: str, tokens: dict[str, Any]) -> None:
        tokens[key] = await self._backend.open_token(self._prefix + key)

    async def _observe(self, keys: Sequence[str], tokens: _Tokens) -> None:
        """Note what the values of ``keys`` depend on, or why that cannot be said."""
        if self._sources_of is None:
            if self._sources:
                names = [self._prefix + key for key in keys]
                tokens.bonds = dict.fromkeys(keys, await self._backend.observe(names, self._sources))
            return
        for key in keys:
            try:
                sources = self._within(self._sources_of(key))
                tokens.bonds[key] = await self._backend.observe((self._prefix + key,), sources)
            except Exception as error:  # noqa: BLE001 - counted, with its reason
                tokens.refused[key] = reason_of(error)

    async def store(self, values: Mapping[Any, Any], tokens: Any) -> Result:
        """Store each of ``values`` with its token."""
        if tokens.refused:
            values = {key: value for key, value in values.items() if key not in tokens.refused}
        if self._at_once is not None:
            reasons = [self._write_at_once(key, value, tokens) for key, value in values.items()]
        else:
            reasons = await self._all([self._write(key, value, tokens) for key, value in values.items()])
        failed = {key: why for key, why in zip(values, reasons, strict=True) if why}
        superseded = reasons.count(None)
        return Result(len(values) - len(failed) - superseded, {**tokens.refused, **failed}, superseded)

    async def _all(self, works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Return what ``works`` return: on an event loop together, so that they can travel together."""
        return [await work for work in works] if self._is_alone else await asyncio.gather(*works)

    def _write_at_once(self, key: str, value: Any, tokens: _Tokens) -> str | None:
        """Store ``value``; return nothing, or why it was not stored, ``None`` when somebody was newer."""
        store: Any = self._at_once
        name, token = self._prefix + key, tokens[key]
        try:
            entry = self._entry(key, value, tokens)
            return self._told(name, entry, token, is_stored=entry is not None and store.write_entry(name, entry, token))
        except Exception as error:  # noqa: BLE001 - one key that cannot be stored is no reason to leave the others
            return reason_of(error)

    async def _write(self, key: str, value: Any, tokens: _Tokens) -> str | None:
        name, token = self._prefix + key, tokens[key]
        try:
            entry = self._entry(key, value, tokens)
            is_stored = entry is not None and await self._backend.write_entry(name, entry, token)
            return self._told(name, entry, token, is_stored=is_stored)
        except Exception as error:  # noqa: BLE001 - as above
            return reason_of(error)

    def _entry(self, key: str, value: Any, tokens: _Tokens) -> Entry | None:
        """Return the entry of ``value``; ``None`` when its life is over already."""
        asked = None if self._ttl is None else self._ttl(key, value)
        life = life_of_value(
            value,
            self._options,
            self._backend.default_life,
            None if asked is None else seconds(asked),
            self._random,
        )
        tags = self._tags if self._tags_of is None else self._prefixed(self._tags_of(key, value))
        if tokens.bonds:
            tags = tuple(dict.fromkeys((*tags, *tokens.bonds[key])))
        return entry_of(value, life, self._backend, self._options, tags) if life > 0 else None

    def _told(self, name: str, entry: Entry | None, token: Any, *, is_stored: bool) -> str | None:
        if is_stored:
            self._sink.stored(name)
            return ""
        tags = self._tags if entry is None else entry.tags
        return _REFUSED if self._backend.is_current(token, tags) else None

    def end(self, tokens: Mapping[Any, Any]) -> None:
        """Close ``tokens``."""
        for token in tokens.values():
            self._backend.close_token(token)

    def _prefixed(self, tags: Any) -> tuple[str, ...]:
        checked = exact_tags(tags)
        return prefixed(self._prefix, checked) if self._prefix else checked

    def _within(self, depends_on: Any) -> tuple[Source, ...]:
        return tuple(source.within(self._prefix) for source in exact_sources(depends_on))


class _Tokens(dict[str, Any]):
    """The tokens of a batch, by key. ``bonds``: tags of what values depend on; ``refused``: why that is not known."""

    def __init__(self) -> None:
        super().__init__()
        self.bonds: dict[str, tuple[str, ...]] = {}
        self.refused: dict[str, str] = {}


def reason_of(error: BaseException) -> str:
    """Return what there is to say of ``error``, on one line."""
    return f"{type(error).__name__}: {error}"
