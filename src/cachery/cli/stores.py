"""``cachery inspect``, ``verify`` and ``purge``: a cache in a directory, looked at and cleaned up."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from heapq import nlargest
from pathlib import Path
from typing import Any

from cachery.backends.claim import read_claim
from cachery.cli.screen import Screen
from cachery.exceptions import CacheConnectionError
from cachery.ports.store import Summary
from cachery.stored import StoredCache

__all__ = ["open_cache", "purge", "show_inventory", "show_verification"]

_LARGEST = 10
_SHOWN = 20


def open_cache(path: Path) -> StoredCache:
    """Return the cache that is in ``path``. Raises ``CacheConnectionError`` when there is none."""
    claim = read_claim(path) if path.is_dir() else None
    if claim is None:
        raise CacheConnectionError(f"there is no cache in {path}")
    if claim.kind == "disk":
        from cachery.disk import DiskCache  # noqa: PLC0415 - needs an extra

        return DiskCache(path)
    from cachery.file_based import FileBasedCache  # noqa: PLC0415 - loaded when it is used

    return FileBasedCache(path)


def show_inventory(path: Path, *, as_json: bool) -> None:
    """Print what is in the cache in ``path``."""
    claim = read_claim(path)
    screen = Screen()
    with open_cache(path) as cache:
        now = cache.store.read_clock()
        entries = _gone_through(screen, "reading", cache, cache.store.summaries())
    found = _inventory(entries, now)
    about = {"path": str(path), "kind": claim.kind, "name": claim.name, "format": claim.format} if claim else {}
    if as_json:
        _print_json({**about, **found})
        return
    screen.line(f"{about['kind']} cache {about['name']!r} in {path}, format {about['format']}", "bold")
    screen.line(
        f"{found['live']:,} live entries, {found['stale']:,} stale, {found['expired']:,} expired; "
        f"{_size(found['bytes'])} in all"
    )
    rows = [[entry["key"], _size(entry["size"]), _left(entry["seconds_left"])] for entry in found["largest"]]
    screen.table("The largest", ["key", "bytes", "time left"], rows)


def _inventory(entries: list[Summary], now: float) -> dict[str, Any]:
    stale = sum(entry.fresh_until <= now < entry.dead_at for entry in entries)
    expired = sum(entry.dead_at <= now for entry in entries)
    largest = nlargest(_LARGEST, entries, key=lambda entry: entry.size)
    return {
        "entries": len(entries),
        "live": len(entries) - stale - expired,
        "stale": stale,
        "expired": expired,
        "bytes": sum(entry.size for entry in entries),
        "largest": [
            {"key": entry.key, "size": entry.size, "seconds_left": _finite(entry.fresh_until - now)}
            for entry in largest
        ],
    }


def show_verification(path: Path, *, as_json: bool) -> bool:
    """Check every record of the cache in ``path``, print what is wrong; True when nothing is."""
    screen = Screen()
    problems = _damage(path)
    checked = 0
    if not problems:
        with open_cache(path) as cache:
            found = _gone_through(screen, "checking", cache, cache.store.verify())
        checked = len(found)
        problems = [f"{key!r}: {reason}" for key, reason in found if reason]
    if as_json:
        _print_json({"path": str(path), "checked": checked, "is_sound": not problems, "problems": problems})
    else:
        for problem in problems[:_SHOWN]:
            screen.line(problem, "red")
        if len(problems) > _SHOWN:
            screen.line(f"and {len(problems) - _SHOWN:,} more", "red")
        screen.line(f"{checked:,} records checked, {len(problems):,} problems", "bold")
        if any(problem.endswith(": secret") for problem in problems):
            screen.line("secret: another one signed it; set CACHERY_SECRET as the programs have it")
    return not problems


def _damage(path: Path) -> list[str]:
    """Return what is wrong with the database in ``path``, if there is one, so that opening it would be dangerous."""
    claim = read_claim(path) if path.is_dir() else None
    if claim is None or claim.kind != "disk":
        return []
    from cachery.backends.disk.checking import check_store  # noqa: PLC0415 - needs an extra

    return list(check_store(path).problems)


def purge(path: Path, tags: Iterable[str], pattern: str | None, *, expired: bool, is_trial: bool) -> None:
    """Remove from the cache in ``path`` what carries one of ``tags``, matches ``pattern`` or is ``expired``.

    ``is_trial``: only say how much that would be, where it can be said.
    """
    screen = Screen()
    with open_cache(path) as cache:
        if pattern is not None:
            keys = list(cache.keys(pattern))
            if not is_trial:
                _removed(screen, cache, keys)
            screen.line(f"{len(keys):,} entries match {pattern!r}" + (", nothing removed" if is_trial else ", removed"))
        for tag in tags:
            if not is_trial:
                cache.invalidate_tags(tag)
            screen.line(f"tag {tag!r} " + ("would be invalidated" if is_trial else "invalidated"))
        if (expired or tags) and not is_trial:
            screen.line(f"{cache.cleanup_expired():,} dead entries removed")
        elif expired:
            now = cache.store.read_clock()
            count = sum(entry.dead_at <= now for entry in cache.store.summaries())
            screen.line(f"{count:,} entries are expired, nothing removed")


def _removed(screen: Screen, cache: StoredCache, keys: list[str]) -> None:
    with screen.bar("removing", len(keys)) as advance:
        for start in range(0, len(keys), 100):
            batch = keys[start : start + 100]
            cache.delete_many(batch)
            advance(len(batch))


def _gone_through(screen: Screen, title: str, cache: StoredCache, items: Iterable[Any]) -> list[Any]:
    """Return ``items`` as a list, with a progress bar while they come."""
    found = []
    with screen.bar(title, len(cache)) as advance:
        for item in items:
            found.append(item)
            advance(1)
    return found


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else round(seconds, 3)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "forever"
    return "over" if seconds <= 0 else f"{seconds:,.0f} s"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":  # noqa: PLR2004 - what the units are apart
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
