"""The commands of one caller on their way through a cluster: what is answered, what to ask again, where."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from cachery.backends.redis.driver.failures import LinkFailure
from cachery.backends.redis.driver.topology import Place, Redirection, Topology, redirection_of, slot_of
from cachery.backends.redis.link import Command, ErrorReply
from cachery.exceptions import CacheConnectionError, CacheTimeoutError

__all__ = ["Errand"]

_ASKING: Command = ("ASKING",)
_AGAIN = ("MOVED ", "ASK ", "TRYAGAIN", "CLUSTERDOWN")


class Errand:
    """Begins with all ``commands`` open. A round is: ``parts``, ask each server for its part, ``take``."""

    def __init__(self, commands: Sequence[Command], remap: Callable[[Place], Place] | None = None) -> None:
        self._commands = commands
        self._remap = remap
        self._open: Sequence[int] = range(len(commands))
        self._asked: list[tuple[Place, list[int], bool]] = []
        self._detours: dict[int, Place] = {}
        self._unreached: dict[Place, Exception] = {}
        self._last_word = ""
        self.replies: list[Any] = [None] * len(commands)
        self.moves: list[Redirection] = []
        self.has_to_learn = False
        self.has_to_wait = False

    @property
    def is_done(self) -> bool:
        """Whether every command is answered."""
        return not self._open

    def parts(self, topology: Topology) -> list[tuple[Place, list[Command]]]:
        """Return what to ask each server for. Raises when that is one that could not be reached."""
        groups: dict[tuple[Place, bool], list[int]] = {}
        for index in self._open:
            detour = self._detours.get(index)
            place = detour or _owner(topology, self._commands[index])
            if place in self._unreached:
                raise self._unreached[place]
            groups.setdefault((place, detour is not None), []).append(index)
        self._asked = [(place, indexes, is_detour) for (place, is_detour), indexes in groups.items()]
        return [(place, self._part(indexes, is_detour=is_detour)) for place, indexes, is_detour in self._asked]

    def _part(self, indexes: list[int], *, is_detour: bool) -> list[Command]:
        if not is_detour:
            return [self._commands[index] for index in indexes]
        return [one for index in indexes for one in (_ASKING, self._commands[index])]

    def take(self, outcomes: Sequence[Any]) -> Exception | None:
        """Note what each server said to its part. Return the error of one that may have carried its part out."""
        again: list[int] = []
        self.moves, self._detours, self.has_to_learn, self.has_to_wait = [], {}, False, False
        fatal: Exception | None = None
        for (place, indexes, is_detour), outcome in zip(self._asked, outcomes, strict=True):
            if isinstance(outcome, list):
                replies = outcome[1::2] if is_detour else outcome
                again += [
                    index for index, reply in zip(indexes, replies, strict=True) if self._is_open(index, reply, place)
                ]
            elif _was_out_of_reach(outcome):
                again += indexes
                self._unreached[place] = outcome
                self.has_to_learn = True
            else:
                fatal = outcome
        self._open = again
        return fatal

    def _is_open(self, index: int, reply: Any, place: Place) -> bool:
        """Keep ``reply``, or note what it asks for and return True when it is to be asked for again."""
        if type(reply) is not ErrorReply or not reply.text.startswith(_AGAIN):
            self.replies[index] = reply
            return False
        self._last_word = reply.text
        if reply.text.startswith(("MOVED ", "ASK ")):
            self._redirect(index, redirection_of(reply.text, place, self._remap))
        else:
            self.has_to_wait = True
            self.has_to_learn = self.has_to_learn or reply.text.startswith("CLUSTERDOWN")
        return True

    def _redirect(self, index: int, redirection: Redirection) -> None:
        if redirection.is_once:
            self._detours[index] = redirection.place
        else:
            self.moves.append(redirection)
            self.has_to_learn = True

    def given_up(self, name: str) -> CacheTimeoutError:
        """Return the error that says that time is up."""
        return CacheTimeoutError(f"the cluster {name} did not settle in time: {self._last_word}", backend="redis")


def _was_out_of_reach(error: LinkFailure) -> bool:
    """Whether no connection to the server came about, so that another may be asked in its place."""
    return error.context.get("was_sent") is False and "host" in error.context


def _owner(topology: Topology, command: Command) -> Place:
    slot = slot_of(command)
    owner = None if slot is None else topology.owners[slot]
    if owner is not None:
        return owner
    if not topology.primaries:
        raise CacheConnectionError("the cluster has no primary", backend="redis")
    return random.choice(topology.primaries)  # noqa: S311 - any will do; who owns no slot says so
