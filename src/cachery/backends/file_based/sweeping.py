"""Going through all files: removing what is dead, and what a crash left behind.

An entry found dead is looked at again with the lock of its key; one that somebody is changing just now is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from cachery.backends.file_based.fences import Fences
from cachery.backends.file_based.layout import BODY, META, tag_hash
from cachery.backends.file_based.loads import Loads
from cachery.backends.file_based.metas import Meta
from cachery.backends.file_based.site import place_of
from cachery.backends.file_based.survey import Listing, Survey, age_of
from cachery.serializers.envelope import Unreadable

__all__ = ["SPARE_TAGS", "has_too_many_tags", "remove_dead", "remove_drafts", "sweep"]

SPARE_TAGS = 1024
_HOUR, _DAY = 3600.0, 86400.0


def sweep(store: Loads, survey: Survey) -> int:
    """Remove what is over or dead by a tag, and what nobody refers to; return how many entries that were."""
    store.check_open()
    store.site.measure_time()
    number = store.tags.number()
    listing = survey.listing()
    remove_drafts(store, listing)
    _remove_fences(store, listing)
    removed = 0
    for key_hash, meta in list(survey.entries(listing)):
        if _is_dead(store, meta) and remove_dead(store, key_hash):
            removed += 1
    _repair(store, listing, survey)
    _forget_tags(store, survey, number)
    store.budget.count()
    return removed


def _is_dead(store: Loads, meta: Meta) -> bool:
    return meta.dead_at <= store.read_clock() or store.pairs.is_dead(meta)


def remove_dead(store: Loads, key_hash: str) -> bool:
    """Remove an entry if it is dead still, and nobody is changing it; report it, True then."""
    found: list[Meta] = []

    def remove(key_hash: str) -> None:
        meta = store.meta_of(key_hash)
        if meta is not None and _is_dead(store, meta):
            store.drop(key_hash)
            found.append(meta)

    _alone(store, key_hash, remove)
    for meta in found:
        if meta.dead_at <= store.read_clock():
            store.observer.expired(meta.key)
        else:
            store.observer.removed(1)
    return bool(found)


def _alone(store: Loads, key_hash: str, work: Callable[[str], object]) -> None:
    """Call ``work`` with the hash of a key, whose lock is held meanwhile, unless somebody else has it."""
    place = place_of(key_hash)
    if store.site.try_acquire(place):
        try:
            work(key_hash)
        finally:
            store.site.release(place)


def remove_drafts(store: Loads, listing: Listing) -> None:
    """Remove what processes that are gone were writing, and what has not been written to for an hour."""
    now = store.site.now()
    for name, entry in listing.drafts.items():
        if store.files.is_abandoned(name) or age_of(entry, now) > _HOUR:
            store.files.remove(name)


def _remove_fences(store: Loads, listing: Listing) -> None:
    """Remove the fences of loads that never ended."""
    now = store.site.now()
    fences: Fences = store.fences
    for key_hash, entry in listing.fences.items():
        if age_of(entry, now) > _DAY:
            _alone(store, key_hash, fences.remove)


def _repair(store: Loads, listing: Listing, survey: Survey) -> None:
    """Put right what writers left that ended in the midst of it; bodies that were copied get to be known as such."""
    halves = listing.metas.keys() ^ listing.bodies.keys()
    for key_hash in halves | survey.doubtful():
        _alone(store, key_hash, partial(_repair_one, store))


def _repair_one(store: Loads, key_hash: str) -> None:
    states = [store.files.state(key_hash + kind) for kind in (META, BODY)]
    body = states[1]
    if body is None or states[0] is None:
        if states != [None, None]:
            store.drop(key_hash)
        return
    with suppress(Unreadable):  # who reads it reports it
        found = store.pairs.look(None, key_hash, is_locked=True)
        if found is not None and not found.is_outdated:
            meta = found.meta._replace(file=body.st_ino)
            store.restamp(found._replace(meta=meta), key_hash, meta.entry)


def _forget_tags(store: Loads, survey: Survey, number: int) -> None:
    """Remove the files of tags that no entry carries, old ones or, when there are far too many, all."""
    listing = survey.listing()
    is_crowded = has_too_many_tags(listing)
    now = store.site.now()
    old = {tag for tag, entry in listing.tags.items() if is_crowded or age_of(entry, now) > _DAY}
    if not old:
        return
    unused = old - {tag_hash(tag) for key_hash in listing.metas for tag in survey.tags_of(key_hash)}
    if unused:
        store.tags.forget(unused, number)


def has_too_many_tags(listing: Listing) -> bool:
    """Tell whether far more tags are remembered than there are entries."""
    return len(listing.tags) > 2 * (SPARE_TAGS + len(listing.metas))
