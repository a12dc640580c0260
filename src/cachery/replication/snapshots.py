"""How a site that lost its way is given what the others hold, page by page and through the log.

Who asks is answered by the first who claims the question, in the order of the log. A page of offers is followed by its
end; the next one is sent when the asker wants more, so that nobody floods the log. An offer says up to where its sender
had read: where the asker has read something newer about a key, that is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from secrets import token_hex
from typing import Any, NamedTuple

from cachery.keys.glob import glob_matcher
from cachery.replication.local import Local
from cachery.replication.log import order_of
from cachery.replication.wire import CLEAR, DELETE, OFFER, PATTERN, SET, TAG, Message

__all__ = ["ASK", "CLAIM", "MORE", "PAGE", "Snapshots", "Tell"]

ASK, CLAIM, PAGE, MORE = "ask", "claim", "page", "more"
_MEMORY = 64


class Tell(NamedTuple):
    """Something to tell the others."""

    kind: str
    target: str = ""
    nonce: str = ""
    is_last: bool = False


class Snapshots:
    """What this process asked for, and what others asked it for. ``stopwatch``: seconds; ``patience``: how many.

    Guarded by the lock of its owner.
    """

    def __init__(self, local: Local, stopwatch: Callable[[], float], *, patience: float, page: int) -> None:
        self._local = local
        self._stopwatch = stopwatch
        self._patience = patience
        self._page = page
        self._nonce = ""
        self._deadline = 0.0
        self._touched: dict[str, str] = {}
        self._sweeps: list[tuple[str, Message]] = []
        self._claimed: dict[str, None] = {}
        self._giving: dict[str, Iterator[str]] = {}

    @property
    def is_asking(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._nonce)

    def ask(self) -> Tell:
        """Begin to wait for a snapshot; return the question."""
        self._end()
        self._nonce = token_hex(8)
        self._deadline = self._stopwatch() + self._patience
        return Tell(ASK, nonce=self._nonce)

    def gives_up(self) -> bool:
        """Tell whether the answer, or its next page, has been waited for in vain. Then the question is forgotten."""
        is_late = self.is_asking and self._stopwatch() > self._deadline
        if is_late:
            self._end()
        return is_late

    def note(self, identifier: str, message: Message) -> None:
        """Remember that ``message`` was read, as long as offers may come that are older."""
        if self._nonce and message.kind in {SET, DELETE}:
            self._touched[message.target] = identifier
        elif self._nonce and message.kind in {CLEAR, PATTERN, TAG}:
            self._sweeps.append((identifier, message))

    def accepts(self, offer: Message) -> bool:
        """Tell whether ``offer`` was asked for here, and nothing newer is known about its key."""
        if not self._nonce or offer.nonce != self._nonce:
            return False
        seen = order_of(offer.as_of)
        touched = self._touched.get(offer.target)
        if touched is not None and order_of(touched) > seen:
            return False
        return not any(order_of(one) > seen and _reaches(sweep, offer) for one, sweep in self._sweeps)

    def heard(self, message: Message, *, is_own: bool, is_same_site: bool) -> list[Tell]:
        """Return what is to be told to ``message``, a question or a part of an answer."""
        if message.kind == ASK:
            is_able = not is_same_site and not self.is_asking and next(self._local.keys(), None) is not None
            return [Tell(CLAIM, nonce=message.nonce)] if is_able else []
        if message.kind == CLAIM:
            return self._assign(message.nonce, is_own=is_own)
        if message.kind == MORE:
            return self._next_page(message.nonce)
        is_ours = message.kind == PAGE and self.is_asking and message.nonce == self._nonce
        return self._turn(message) if is_ours else []

    def _assign(self, nonce: str, *, is_own: bool) -> list[Tell]:
        """Let the first who claims the question answer it."""
        is_first = nonce not in self._claimed
        _remember(self._claimed, nonce, None)
        if nonce == self._nonce:
            self._deadline = self._stopwatch() + self._patience
        if not is_first or not is_own:
            return []
        _remember(self._giving, nonce, iter(list(self._local.keys())))
        return self._next_page(nonce)

    def _next_page(self, nonce: str) -> list[Tell]:
        keys = self._giving.get(nonce)
        if keys is None:
            return []
        page = list(islice(keys, self._page))
        is_last = len(page) < self._page
        if is_last:
            del self._giving[nonce]
        return [*(Tell(OFFER, key, nonce) for key in page), Tell(PAGE, nonce=nonce, is_last=is_last)]

    def _turn(self, page: Message) -> list[Tell]:
        """Ask for the page after ``page``, if there is one."""
        self._deadline = self._stopwatch() + self._patience
        if page.is_last:
            self._end()
            return []
        return [Tell(MORE, nonce=self._nonce)]

    def _end(self) -> None:
        self._nonce = ""
        self._touched.clear()
        self._sweeps.clear()


def _reaches(sweep: Message, offer: Message) -> bool:
    if sweep.kind == PATTERN:
        return bool(glob_matcher(sweep.target)(offer.target))
    return sweep.kind == CLEAR or sweep.target in offer.tags


def _remember(kept: dict[str, Any], key: str, value: Any) -> None:
    """Keep ``value``, and no more than the newest."""
    kept.setdefault(key, value)
    while len(kept) > _MEMORY:
        del kept[next(iter(kept))]
