"""What a loaded value depends on: looked at before its load begins, so that a change during the load shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cachery.engine.request import Request
from cachery.model.marks import without_marks
from cachery.sources.observing import absent_keys, without_absent

if TYPE_CHECKING:
    from cachery.engine.load import Loading

__all__ = ["observed", "observed_late", "with_bonds"]


async def observed(loading: Loading[Any], request: Request) -> Request:
    """Return ``request`` with what its sources look like now, if it has any."""
    if not request.sources:
        return request
    tags = await loading.backend.observe(request.key, request.sources)
    return request.bound((*request.bonds, *tags))


async def observed_late(loading: Loading[Any], request: Request) -> Request:
    """Return ``request`` with those keys looked at again that were not there when the load began.

    A loader that loads what it depends on by itself is what brings them.
    """
    absent = absent_keys(request.bonds) if request.sources else ()
    if not absent:
        return request
    tags = await loading.backend.observe(request.key, tuple(absent))
    return request.bound((*without_absent(request.bonds), *tags))


def with_bonds(tags: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Return ``tags`` with the bonds of ``request``, which say anew what was seen."""
    return tuple(dict.fromkeys((*without_marks(tags), *request.bonds))) if request.sources else tags
