"""``cachery why``: what is known of one entry, and so why a cache answers as it does."""

from __future__ import annotations

from typing import Any

from cachery.cli.chosen import Chosen
from cachery.cli.printing import complain, finite, print_json, shown
from cachery.model.entry import Freshness, classify
from cachery.model.marks import Mark, is_source, marks_in, path_in
from cachery.model.sizes import size_text
from cachery.ports.store import Description
from cachery.sources.observing import stand
from cachery.sources.source import Key

__all__ = ["show_entry"]

_MEANINGS = {
    "absent": "nothing is stored under it: never, or it was deleted, evicted, or over and removed",
    "fresh": "it is answered",
    "refresh due": "it is answered; the next loading verb refreshes it in the background",
    "stale": "plain verbs miss it; a loading verb may still serve it while it loads",
    "expired": "its time is over",
    "invalidated": "after it was stored a tag of it was invalidated, a key it depends on was written again, or the "
    "cache cleared",
    "unreadable": "the record cannot be read",
}


def show_entry(chosen: Chosen, key: str, *, as_json: bool) -> bool:
    """Print what is known of ``key``; True when ``get`` would answer it."""
    with chosen.open() as cache:
        found: Description | None = cache.store.describe(key)
        now = cache.store.read_clock()
        tier = _tier_of(cache)
        state = _state_of(found, now)
        changed = _changed(cache.store, found) if state == "invalidated" else []
    means = f"what it depends on has changed: {', '.join(map(shown, changed))}" if changed else _MEANINGS[state]
    facts = {"key": key, "state": state, "means": means, "tier": tier, **_facts(found, now)}
    if state == "invalidated":
        facts["changed"] = changed
    is_answered = state in {"fresh", "refresh due"}
    if as_json:
        print_json(facts)
    elif found is None:
        complain(f"{shown(key)} is not there: {_MEANINGS[state]}")
    else:
        _show(facts)
    return is_answered


def _changed(store: Any, found: Description | None) -> list[str]:
    """Return those of the sources that do not look as they did. Which versions a program declares nobody knows here."""

    def stamp_of(name: str) -> str:
        return marks_in(store.observe((), (Key(name),)))[0].seen

    marks = () if found is None or found.entry is None else marks_in(found.entry.tags)
    return list(dict.fromkeys(_source_shown(mark.tag) for mark in marks if not stand([mark], stamp_of)))


def _source_shown(tag: str) -> str:
    """Return the source that ``tag`` speaks of, by its name: a file has two tags and is one source."""
    mark = Mark.read(tag)
    if mark is None:
        return f"file {path_in(tag)}"
    return f"{mark.kind} {mark.name}" + (f" {mark.seen}" if mark.kind == "version" else "")


def _tier_of(cache: Any) -> str:
    """Return where the entry is: of tiers that is the far one, as memory is that of a process that just began."""
    far = getattr(cache, "tiers", (cache,))[-1]
    return {"DiskCache": "disk", "FileBasedCache": "file_based"}.get(type(far).__name__, "redis")


def _state_of(found: Description | None, now: float) -> str:
    if found is None:
        return "absent"
    if found.fault is not None or found.entry is None:
        return "unreadable"
    if found.is_invalidated:
        return "invalidated"
    freshness = classify(found.entry, now)
    return "expired" if freshness is Freshness.DEAD else freshness.value


def _facts(found: Description | None, now: float) -> dict[str, Any]:
    if found is None:
        return {}
    facts: dict[str, Any] = {"bytes": found.size, "fault": found.fault}
    entry = found.entry
    if entry is not None:
        facts |= {
            "seconds_left": finite(entry.fresh_until - now),
            "stale_seconds_left": max(0.0, round(entry.stale_until - now, 3)),
            "refresh_in_seconds": finite(entry.refresh_at - now),
            "age_seconds": None if found.written_at is None else round(max(0.0, now - found.written_at), 3),
            "tags": [tag for tag in entry.tags if not is_source(tag)],
            "depends_on": list(dict.fromkeys(_source_shown(tag) for tag in entry.tags if is_source(tag))),
            "cost": entry.cost,
            "serializer": found.serializer,
            "compression": found.compression,
            "is_encrypted": found.is_encrypted,
            "is_signed": found.is_signed,
        }
    return facts


def _show(facts: dict[str, Any]) -> None:
    from cachery.cli.screen import Screen, marked  # noqa: PLC0415 - not for those who want JSON

    screen = Screen()
    state = facts["state"]
    good = state in {"fresh", "refresh due"}
    rows = [
        [
            "state",
            marked(state if facts["fault"] is None else f"{state}: {facts['fault']}", "green" if good else "red"),
        ],
        ["which means", facts["means"]],
        ["tier", facts["tier"]],
        ["size", size_text(facts["bytes"])],
    ]
    if "tags" in facts:
        rows += [
            ["time left", _span(facts["seconds_left"])],
            ["served stale for", _span(facts["stale_seconds_left"]) if facts["stale_seconds_left"] else "no time"],
            ["refresh due", _due(facts["refresh_in_seconds"])],
            ["age", "not noted here" if facts["age_seconds"] is None else _span(facts["age_seconds"])],
            ["tags", ", ".join(map(shown, facts["tags"])) or "none"],
            ["depends on", ", ".join(map(shown, facts["depends_on"])) or "nothing"],
            ["cost", "not known" if facts["cost"] is None else f"{facts['cost']:g}"],
            ["written by", _written_by(facts)],
        ]
    screen.table(shown(facts["key"]), ["", ""], rows)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "forever"
    return f"{seconds:,.0f} s" if seconds > 0 else "over"


def _due(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"in {seconds:,.0f} s" if seconds > 0 else "now"


def _written_by(facts: dict[str, Any]) -> str:
    ways = [facts["serializer"], facts["compression"]]
    ways += [word for fact, word in (("is_encrypted", "encrypted"), ("is_signed", "signed")) if facts[fact]]
    return ", ".join(way for way in ways if way)
