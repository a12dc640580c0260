"""``cachery inspect``, ``verify`` and ``purge``: a cache that processes share, looked at and cleaned up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from cachery.cli.chosen import Chosen
from cachery.cli.printing import finite, print_json
from cachery.cli.screen import Screen
from cachery.cli.sizes import counted
from cachery.model.sizes import size_text
from cachery.ports.store import Summary
from cachery.stored import StoredCache

__all__ = ["purge", "show_inventory", "show_verification"]

_LARGEST = 10
_SHOWN = 20


def show_inventory(chosen: Chosen, *, as_json: bool) -> None:
    """Print what is in a cache."""
    screen = Screen()
    with chosen.open() as cache:
        now = cache.store.read_clock()
        entries = _gone_through(screen, "reading", cache, cache.store.summaries())
    found = _inventory(entries, now)
    if as_json:
        print_json({**_about(chosen), **found})
        return
    screen.line(_title(chosen), "bold")
    screen.line(
        f"{counted(found['live'], 'live entry', 'live entries')}, "
        f"{found['stale']:,} stale, {found['expired']:,} expired; "
        f"{size_text(found['bytes'])} in all"
    )
    rows = [[entry["key"], size_text(entry["size"]), _left(entry["seconds_left"])] for entry in found["largest"]]
    screen.table("The largest", ["key", "bytes", "time left"], rows)


def _about(chosen: Chosen) -> dict[str, Any]:
    claim = chosen.claim
    if claim is None:
        return {"cache": chosen.said, "kind": chosen.backend}
    return {"path": str(chosen.place), "kind": claim.kind, "name": claim.name, "format": claim.format}


def _title(chosen: Chosen) -> str:
    claim = chosen.claim
    if claim is None:
        said = chosen.said if "://" in chosen.said else repr(chosen.said)
        return f"{chosen.backend} cache {said}"
    name = f" {claim.name!r}" if claim.name else ""
    return f"{claim.kind} cache{name} in {chosen.place}, format {claim.format}"


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
            {"key": entry.key, "size": entry.size, "seconds_left": finite(entry.fresh_until - now)} for entry in largest
        ],
    }


def show_verification(chosen: Chosen, *, as_json: bool) -> bool:
    """Check every record of a cache, print what is wrong; True when nothing is."""
    screen = Screen()
    problems = _damage(chosen)
    checked = 0
    if not problems:
        with chosen.open() as cache:
            found = _gone_through(screen, "checking", cache, cache.store.verify())
        checked = len(found)
        problems = [f"{key!r}: {reason}" for key, reason in found if reason]
    if as_json:
        where = {"cache": chosen.said} if chosen.place is None else {"path": str(chosen.place)}
        print_json({**where, "checked": checked, "is_sound": not problems, "problems": problems})
    else:
        for problem in problems[:_SHOWN]:
            screen.line(problem, "red")
        if len(problems) > _SHOWN:
            screen.line(f"and {len(problems) - _SHOWN:,} more", "red")
        screen.line(
            f"{counted(checked, 'record', 'records')} checked, {counted(len(problems), 'problem', 'problems')}", "bold"
        )
        if any(problem.endswith(": secret") for problem in problems):
            screen.line("secret: another one signed it; set CACHERY_SECRET as the programs have it")
    return not problems


def _damage(chosen: Chosen) -> list[str]:
    """Return what is wrong with the database of a cache, if it has one, so that opening it would be dangerous."""
    claim = chosen.claim
    if chosen.place is None or claim is None or claim.kind != "disk":
        return []
    from cachery.backends.disk.checking import check_store  # noqa: PLC0415 - needs an extra

    return list(check_store(chosen.place).problems)


def purge(
    chosen: Chosen, tags: Sequence[str], pattern: str | None, *, expired: bool, is_trial: bool, as_json: bool = False
) -> None:
    """Remove what carries one of ``tags``, matches ``pattern`` or is ``expired``.

    ``is_trial``: only say how much that would be, where it can be said.
    """
    screen = Screen()
    with chosen.open() as cache:
        matching = None if pattern is None else _purge_matching(screen, cache, pattern, is_trial=is_trial)
        if not is_trial and tags:
            cache.invalidate_tags(*tags)
        dead = None
        if expired and is_trial:
            now = cache.store.read_clock()
            dead = sum(entry.dead_at <= now for entry in cache.store.summaries())
        elif (expired or tags) and not is_trial:
            dead = cache.cleanup_expired()
    if as_json:
        print_json({"matching": matching, "tags": list(tags), "dead": dead, "is_removed": not is_trial})
        return
    if matching is not None:
        many = counted(matching, "entry matches", "entries match")
        screen.line(f"{many} {pattern!r}" + (", nothing removed" if is_trial else ", removed"))
    for tag in tags:
        screen.line(f"tag {tag!r} " + ("would be invalidated" if is_trial else "invalidated"))
    if dead is not None:
        over = counted(dead, "entry is expired", "entries are expired") + ", nothing removed"
        screen.line(over if is_trial else counted(dead, "dead entry", "dead entries") + " removed")


def _purge_matching(screen: Screen, cache: StoredCache, pattern: str, *, is_trial: bool) -> int:
    keys = list(cache.keys(pattern))
    if not is_trial:
        _removed(screen, cache, keys)
    return len(keys)


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


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "forever"
    return "over" if seconds <= 0 else f"{seconds:,.0f} s"
