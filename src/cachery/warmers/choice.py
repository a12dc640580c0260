"""What both warmers decide alike: what is warmed, how, and which of the keys are in demand."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from inspect import isawaitable
from typing import Any

from cachery.engine.context import LoadContext
from cachery.exceptions import CacheValueError
from cachery.warmers.config import WarmingConfig, WarmingStrategy
from cachery.warmers.naming import name_of
from cachery.warmers.providers import AdaptiveKeyProvider
from cachery.warmers.targets import CacheTarget, MappingTarget, Target
from cachery.warmers.tracker import AccessTracker

__all__ = ["check_parts", "in_demand", "load_arguments", "loading_of", "target_of", "tracker_of"]

_MOST_HOT = 10_000


def check_parts(key_provider: object, value_loader: object, config: object, progress: object = None) -> None:
    """Raise ``CacheValueError``, saying what to write, for what is no provider, loader, configuration or progress."""
    if not callable(getattr(key_provider, "get_keys", None)):
        raise CacheValueError(
            f"key_provider has get_keys(), StaticKeyProvider([...]) for instance; not {name_of(key_provider)}"
        )
    if not callable(getattr(value_loader, "load", None)):
        raise CacheValueError(f"value_loader has load(key), as CallableValueLoader(f) has; not {name_of(value_loader)}")
    if not isinstance(config, WarmingConfig):
        raise CacheValueError(f"config is a WarmingConfig(...), not {type(config).__name__}")
    if progress is not None and not callable(progress):
        raise CacheValueError(f"progress is called with two numbers; {type(progress).__name__} cannot be called")


def target_of(cache: Any, kind: type[Any], config: WarmingConfig, random: Callable[[], float], advice: str) -> Target:
    """Return what fills ``cache``: one of ``kind``, or a dictionary. Raises ``CacheValueError`` for another."""
    if isinstance(cache, kind):
        cache.check_open()
        return CacheTarget(cache.engine.core, config, random)
    if isinstance(cache, MutableMapping):
        return MappingTarget(cache, config)
    whose = f"{type(cache).__module__}.{type(cache).__qualname__}".removeprefix("builtins.")
    raise CacheValueError(f"what is warmed is a dictionary or {advice}, not {whose}")


def tracker_of(
    tracker: AccessTracker | None, provider: object, config: WarmingConfig, cache: Any
) -> AccessTracker | None:
    """Return what counts accesses: what was given, or what it takes to know what is in demand in a dictionary."""
    if tracker is None and isinstance(provider, AdaptiveKeyProvider):
        return provider.tracker
    is_needed = config.strategy is WarmingStrategy.ADAPTIVE and isinstance(cache, MutableMapping)
    return AccessTracker() if tracker is None and is_needed else tracker


def in_demand(keys: Sequence[Any], tracker: AccessTracker | None, cache: Any) -> Sequence[Any]:
    """Return those of ``keys`` that were asked for, the hottest first; all while none was."""
    if tracker is not None:
        hot = tracker.get_hot_keys(1, _MOST_HOT)
    else:
        hot = [key for key, _ in cache.stats.hottest_keys(_MOST_HOT)]
    wanted = set(keys)
    return [key for key in hot if key in wanted] or keys


def load_arguments(config: WarmingConfig, key: Any) -> dict[str, Any]:
    """Return what ``get_or_set`` is given for ``key``, so that it stores as a run does."""
    depends_on = config.depends_on
    return {
        "ttl": None if callable(config.ttl) else config.ttl,
        "jitter": config.jitter,
        "tags": () if callable(config.tags) else config.tags,
        "depends_on": partial(depends_on, key) if callable(depends_on) else depends_on,
    }


def loading_of(config: WarmingConfig, key: Any, load: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a loader of ``key`` that sets the TTL and the tags of its value, where those depend on it."""

    def load_it(context: LoadContext) -> Any:
        value = load(key)
        return marked_later(value, context) if isawaitable(value) else marked(value, context)

    def marked(value: Any, context: LoadContext) -> Any:
        if callable(config.ttl):
            context.ttl = config.ttl(key, value)
        if callable(config.tags):
            context.tags = config.tags(key, value)
        return value

    async def marked_later(value: Any, context: LoadContext) -> Any:
        return marked(await value, context)

    return load_it if callable(config.ttl) or callable(config.tags) else lambda: load(key)
