"""Closing a transport where its loop cannot: the loop is closed, or it is the parent's and this is a forked child."""

from __future__ import annotations

from asyncio import Transport
from contextlib import suppress
from typing import Any

__all__ = ["let_go"]

_kept: list[Any] = []


def let_go(transport: Transport, *, is_inherited: bool = False) -> None:
    """Close the socket of ``transport`` at once, without asking its loop for anything.

    asyncio closes a transport by a callback of its loop; one that never gets it complains when it is collected. When
    ``is_inherited``, nothing may be unregistered either: parent and child share what the kernel watches for the loop.
    """
    inner: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    for one in (transport, inner):
        if one is not None and not is_inherited:
            with suppress(RuntimeError):  # the loop is closed; what it would have done comes next
                one.abort()
    if is_inherited:
        _kept.append(transport)  # to be collected is to be closed, by way of the loop
    finish = getattr(inner or transport, "_call_connection_lost", None)
    if finish is not None and getattr(inner or transport, "_sock", None) is not None:
        with suppress(RuntimeError):  # TLS would tell the channel by way of the loop; the socket is closed all the same
            finish(None)
