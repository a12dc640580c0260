"""``cachery get``, ``set``, ``delete`` and ``keys``: single entries of a cache that processes share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from cachery.cli.chosen import Chosen
from cachery.cli.printing import complain, finite, print_json, print_line, shown
from cachery.cli.values import field_of, read_life, text_of
from cachery.events import Event, Unreadable
from cachery.model.sentinels import MISSING

__all__ = ["delete_keys", "set_value", "show_keys", "show_value"]


def show_value(chosen: Chosen, key: str, *, as_json: bool, is_raw: bool) -> bool:
    """Print the value of ``key``; False when there is none. ``is_raw``: text and bytes as they are."""
    faults: list[str] = []
    with chosen.open() as cache:
        cache.subscribe(lambda event: _note_fault(faults, event))
        value = cache.get(key, MISSING)
    if as_json:
        found = {} if value is MISSING else field_of(value)
        print_json({"key": key, "found": value is not MISSING, **found, **({"fault": faults[0]} if faults else {})})
    elif value is MISSING:
        why = f"cannot be read: {faults[0]}" if faults else "is not there"
        complain(f"{shown(key)} {why}")
    elif is_raw and isinstance(value, str | bytes):
        _write_raw(value)
    else:
        print_line(text_of(value))
    return value is not MISSING


def _note_fault(faults: list[str], event: Event) -> None:
    if isinstance(event, Unreadable):
        faults.append(event.reason)


def _write_raw(value: str | bytes) -> None:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def set_value(chosen: Chosen, key: str, value: Any, *, ttl: str | None, tags: Iterable[str], as_json: bool) -> bool:
    """Store ``value`` under ``key``, in a cache that is made if need be; False when it was not stored."""
    life = read_life(ttl)
    with chosen.open(is_new_welcome=True) as cache:
        is_stored = cache.set(key, value, life, tags=tags)
        left = cache.ttl(key) if is_stored else None
    if as_json:
        print_json({"key": key, "stored": is_stored, "seconds_left": None if left is None else finite(left)})
    elif not is_stored:
        complain(f"{shown(key)} was not stored: it is too large for this cache")
    return is_stored


def delete_keys(chosen: Chosen, keys: Sequence[str], *, as_json: bool) -> bool:
    """Remove ``keys``; False when one of them was not there."""
    wanted = list(dict.fromkeys(keys))
    with chosen.open() as cache:
        count = cache.delete_many(wanted)
    if as_json:
        print_json({"deleted": count, "asked": len(wanted)})
    else:
        print_line(f"{count:,} of {len(wanted):,} deleted")
    return count == len(wanted)


def show_keys(chosen: Chosen, pattern: str, *, limit: int | None, as_json: bool) -> None:
    """Print the live keys that match ``pattern``, a line each, as they come; as JSON, one list of all."""
    with chosen.open() as cache:
        keys = islice(cache.keys(pattern), limit)
        if as_json:
            print_json(list(keys))
            return
        for key in keys:
            print_line(shown(key))
