"""The links to a cluster: each command goes to the primary that owns the slot of its key.

Written once for blocking code and loops; the way to each server is the link to a single one.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Any

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.errand import Errand
from cachery.backends.redis.driver.manners import Loops, Manner, Threads
from cachery.backends.redis.driver.topology import Place, Redirection, Topology, read_slots
from cachery.backends.redis.link import Command, ErrorReply, Link
from cachery.exceptions import CacheConnectionError, CacheTimeoutError

__all__ = ["BlockingClusterLink", "ClusterLink", "LoopClusterLink"]

_logger = logging.getLogger("cachery.redis")
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.25


class ClusterLink:
    """Carries commands to the primaries of the cluster at ``address``, and replies back.

    The slots are learned at the first command, and again when a server is gone or says that one has moved.
    """

    is_cluster = True

    def __init__(self, address: Address, manner: Manner) -> None:
        self._address = address
        self._manner = manner
        self._links: dict[Place, Link] = {}
        self._topology: Topology | None = None
        self._doubted: Topology | None = None
        self._remap: Callable[[Place], Place] | None = address.options.get("address_remap")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address.name}>"

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send each of ``commands`` where its first key lies and return a reply for each. Raises what the port says.

        What a server sends elsewhere, or cannot answer yet, is asked again until the budget of time is used up.
        """
        topology = await self._known()
        errand = Errand(commands, self._remap)
        await self._round(errand, topology)
        if not errand.is_done:
            await self._finish(errand, topology)
        return errand.replies

    async def _finish(self, errand: Errand, topology: Topology) -> None:
        """Ask again, and elsewhere, what is not answered yet. Raises ``CacheTimeoutError`` when that takes too long."""
        deadline, pause = monotonic() + self._address.timeout, 0.0
        while not errand.is_done:
            topology = await self._mended(errand, topology)
            if monotonic() > deadline:
                raise errand.given_up(self._address.name)
            if errand.has_to_wait or pause:  # nor is one sent to and fro without a pause
                await self._manner.pause(random.uniform(pause / 2, pause))  # noqa: S311 - to spread callers
            pause = min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            await self._round(errand, topology)

    async def _round(self, errand: Errand, topology: Topology) -> None:
        """Ask what is not answered yet, each server once. Raises what a server that was asked raises."""
        parts = errand.parts(topology)
        outcomes = await self._manner.together([self._ask_one(place, commands) for place, commands in parts])
        error = errand.take(outcomes)
        if error is not None:
            self._doubted = topology
            raise error

    async def _ask_one(self, place: Place, commands: Sequence[Command]) -> list[Any] | Exception:
        """Return the replies of one server, or the error as a value."""
        try:
            return await self._link(place).ask(commands)
        except (CacheConnectionError, CacheTimeoutError) as error:
            return error

    async def _known(self) -> Topology:
        """Return the slots as they were learned last, learned again when a connection was lost since."""
        topology = self._topology
        return await self._learn(topology) if topology is None or topology is self._doubted else topology

    async def _mended(self, errand: Errand, topology: Topology) -> Topology:
        """Return what is known now of the slots, having asked again if ``errand`` found that something has changed."""
        if errand.has_to_learn:
            topology = await self._learn(topology)
        for redirection in errand.moves:
            topology = self._moved(topology, redirection)
        return topology

    def _moved(self, topology: Topology, move: Redirection) -> Topology:
        if topology.owners[move.slot] == move.place:
            return topology
        self._topology = mended = topology.with_owner(move.slot, move.place)
        return mended

    async def _learn(self, stale: Topology | None) -> Topology:
        """Return the slots, asked for again unless another has done so since ``stale`` was read."""

        async def learned() -> Topology:
            if self._topology is None or self._topology is stale:
                self._topology = await self._asked_around(stale)
            return self._topology

        return await self._manner.once(learned)

    async def _asked_around(self, stale: Topology | None) -> Topology:
        """Ask one server after another until one knows. Raises the last one's error when none does."""
        known = [] if stale is None else sorted(stale.members)
        random.shuffle(known)
        reasons: list[Exception] = []
        for place in dict.fromkeys([*known, *self._address.nodes]):
            outcome = await self._ask_one(place, [("CLUSTER", "SLOTS")])
            if isinstance(outcome, list) and outcome[0] and not isinstance(outcome[0], ErrorReply):
                topology = read_slots(outcome[0], place, self._remap)
                await self._let_go(topology)
                return topology
            reasons.append(outcome if isinstance(outcome, Exception) else _no_cluster(place, outcome[0]))
        raise reasons[-1]

    async def _let_go(self, topology: Topology) -> None:
        """Close the links to servers that have left the cluster."""
        for place in [place for place in self._links if place not in topology.members]:
            link = self._links.pop(place, None)
            if link is not None and place not in self._address.nodes:
                await link.close()
            elif link is not None:
                self._links[place] = link

    def _link(self, place: Place) -> Link:
        link = self._links.get(place)
        if link is None:
            link = self._links.setdefault(place, self._manner.link_to(self._address.at(*place)))
        return link

    def post(self, commands: Sequence[Command]) -> None:
        """Send each of ``commands`` where its first key lay when the slots were last learned."""
        topology = self._topology
        if topology is None:
            _logger.debug("commands that nobody waits for were not sent: the slots of the cluster are not known")
            return
        for place, part in Errand(commands, self._remap).parts(topology):
            self._link(place).post(part)

    async def scan(self, match: bytes, batch: int = 500) -> AsyncIterator[list[bytes]]:
        """Iterate over the keys that match ``match``, on one primary after another."""
        topology = await self._known()
        for place in topology.primaries:
            async for keys in self._link(place).scan(match, batch):
                yield keys

    async def close(self) -> None:
        """Close the links to all servers."""
        for link in list(self._links.values()):
            await link.close()


class BlockingClusterLink(ClusterLink):
    """The link to the cluster at ``address`` for blocking code."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, Threads())


class LoopClusterLink(ClusterLink):
    """The link to the cluster at ``address`` for event loops: all that one turn asks of a server travels together."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, Loops())


def _no_cluster(place: Place, reply: Any) -> CacheConnectionError:
    reason = reply.text if isinstance(reply, ErrorReply) else "it knows of no slots"
    return CacheConnectionError(f"{place[0]}:{place[1]} is no server of a cluster: {reason}", backend="redis")
