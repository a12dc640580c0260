"""``cachery warm``: fills a cache with what a function of the user's loads, before anybody asks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cachery.cli.chosen import Chosen
from cachery.cli.printing import print_json
from cachery.cli.screen import Screen
from cachery.cli.sizes import counted
from cachery.cli.values import read_life
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration
from cachery.model.sentinels import FOREVER
from cachery.warmers import (
    CacheWarmer,
    CallableValueLoader,
    StaticKeyProvider,
    WarmingConfig,
    WarmingStats,
    WarmingStrategy,
)

__all__ = ["Manner", "find_loader", "read_keys", "warm_cache"]

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Manner:
    """How to warm: how many at once, how often again, how long at most; the ``ttl`` and ``tags`` of what is stored."""

    workers: int
    batch_size: int
    retries: int
    timeout: Duration
    ttl: str | None
    tags: tuple[str, ...]

    def config(self) -> WarmingConfig:
        """Return it as a warmer takes it."""
        return WarmingConfig(
            strategy=WarmingStrategy.EAGER,
            batch_size=self.batch_size,
            max_workers=self.workers,
            warmup_timeout_s=FOREVER if self.timeout == "forever" else self.timeout,
            retry_on_failure=self.retries > 0,
            max_retries=self.retries,
            ttl=read_life(self.ttl),
            tags=self.tags,
        )


def find_loader(path: str) -> Callable[[str], Any]:
    """Return the function that ``path``, ``module:function``, names; modules of the working directory are found too.

    Raises ``CacheValueError`` when there is none.

    >>> find_loader("os.path:basename")("a/b")
    'b'
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise CacheValueError(f"a loader is module:function, not {path!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    found: Any = _imported(module_name, here)
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise CacheValueError(f"the module {module_name!r} has no {name!r}") from error
    if not callable(found):
        raise CacheValueError(f"{path} is no function but {type(found).__name__}")
    loader: Callable[[str], Any] = found
    return loader


def _imported(name: str, here: str) -> Any:
    try:
        return import_module(name)
    except Exception as error:  # whatever the code of a module may raise
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise CacheValueError(f"there is no module {name!r}, installed or in {here}") from error
        said = f"{type(error).__name__}: {error}"
        raise CacheValueError(f"the module {name!r} cannot be imported: {said}") from error


def read_keys(source: str) -> list[str]:
    """Return the keys in the file ``source``, a line each; ``-`` is standard input.

    Spaces around a key are none of it; empty lines are left out.

    Raises ``CacheValueError`` for a file that cannot be read.
    """
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CacheValueError(f"the keys in {source} cannot be read: {error}") from error
    return [key for line in text.splitlines() if (key := line.strip())]


def warm_cache(chosen: Chosen, loader: Callable[[str], Any], keys: list[str], manner: Manner, *, as_json: bool) -> bool:
    """Load ``keys`` and store them in a cache, which is made if need be; print the numbers. True when none failed."""
    screen = Screen()
    config = manner.config()
    with chosen.open(is_new_welcome=True) as cache, screen.bar("warming", len(keys)) as advance:
        progress = _Steps(advance)
        parts = StaticKeyProvider(keys), CallableValueLoader(loader)
        with CacheWarmer(cache, *parts, config, progress=progress.reached) as warmer:
            stats = warmer.stats
    if as_json:
        print_json(_facts(stats))
    else:
        _show(screen, stats)
    return stats.is_complete


class _Steps:
    """From how far it is to how much further."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._done = 0

    def reached(self, done: int, total: int) -> None:
        """Note that ``done`` of ``total`` are done."""
        del total
        self._advance(done - self._done)
        self._done = done


def _facts(stats: WarmingStats) -> dict[str, Any]:
    return {
        "warmed": stats.keys_warmed,
        "failed": {str(key): reason for key, reason in stats.failed.items()},
        "superseded": stats.keys_superseded,
        "pending": stats.keys_pending,
        "milliseconds": round(stats.total_time_ms, 1),
        "success_rate": stats.success_rate,
    }


def _show(screen: Screen, stats: WarmingStats) -> None:
    for error in stats.errors[:_SHOWN]:
        screen.line(error, "red")
    if len(stats.errors) > _SHOWN:
        screen.line(f"and {len(stats.errors) - _SHOWN:,} more", "red")
    if stats.keys_pending:
        screen.line(f"{counted(stats.keys_pending, 'key', 'keys')} left when the time was over", "red")
    screen.line(
        f"{counted(stats.keys_warmed, 'key', 'keys')} warmed, {stats.keys_failed:,} failed, "
        f"in {stats.total_time_ms / 1000:,.1f} s",
        "bold",
    )
