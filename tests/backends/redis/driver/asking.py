"""Asking through either kind of link, from tests that are plain functions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.opening import open_blocking, open_loop
from cachery.backends.redis.link import Command, Link
from cachery.step import step

__all__ = ["KINDS", "Kind", "answers", "keys_in"]

Kind = Literal["blocking", "loop"]
KINDS: tuple[Kind, ...] = ("blocking", "loop")


def answers(kind: Kind, address: Address, *rounds: Sequence[Command]) -> list[list[Any]]:
    """Open a link to ``address``, ask one round after another, close it, and return the replies."""

    async def work(link: Link) -> list[list[Any]]:
        try:
            return [await link.ask(commands) for commands in rounds]
        finally:
            await link.close()

    return step(work(open_blocking(address))) if kind == "blocking" else asyncio.run(work(open_loop(address)))


def keys_in(kind: Kind, address: Address, match: bytes, batch: int) -> list[bytes]:
    """Return all keys that a scan finds."""

    async def work(link: Link) -> list[bytes]:
        try:
            return [key async for keys in link.scan(match, batch) for key in keys]
        finally:
            await link.close()

    return step(work(open_blocking(address))) if kind == "blocking" else asyncio.run(work(open_loop(address)))
