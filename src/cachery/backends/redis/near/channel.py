"""The channel on which a process hears what others change, and its heartbeat.

A thread hears every primary on a connection of its own and sends each a probe with every beat. A probe that comes back
says that all which was changed before it was sent has been heard: so copies are good until some time after it was
sent. When one does not come back in time, or a connection ends, the thread connects anew; what was said meanwhile is
lost, so every copy is suspect then, and compared with the server when it is asked for next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from random import Random
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from typing import NamedTuple

from cachery.backends.redis.driver.address import Address
from cachery.backends.redis.driver.hearing import Ear, places_to_hear
from cachery.backends.redis.near.bus import Bus, Message
from cachery.backends.redis.near.copies import Marks
from cachery.exceptions import CacheConnectionError, CacheError, CacheTimeoutError
from cachery.forks import reset_in_child
from cachery.ports.clock import stopwatch

__all__ = ["Channel", "Pulse"]

_logger = logging.getLogger("cachery.redis")
_chance = Random()  # noqa: S311 - our own: who has seeded that of the program is not disturbed by a thread
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0


class Pulse(NamedTuple):
    """How the channel keeps time, in seconds.

    ``beat``: from one probe to the next. ``patience``: how long a probe is waited for. ``bound``: how long copies are
    good after a probe was sent that came back.
    """

    beat: float
    patience: float
    bound: float


@dataclass(slots=True, eq=False)
class _Heard:
    """A primary that is heard: the ``slots`` it owns, when the probes under way were sent, and which came back last.

    Times are pairs: by the clock of copies, and by the stopwatch. ``layout``: what it said first of who owns slots.
    """

    ear: Ear
    slots: Collection[int] | None
    sent: dict[int, tuple[float, float]] = field(default_factory=dict)
    good_from: float = float("-inf")
    alive_at: float = 0.0
    layout: object = None


class Channel:
    """Hears the servers at ``address`` over ``bus`` and moves ``marks``. The thread begins with ``start``.

    ``on_down`` is called with an error, ``on_up`` with nothing, on that thread, once an episode.
    """

    def __init__(
        self,
        address: Address,
        bus: Bus,
        marks: Marks,
        pulse: Pulse,
        *,
        on_down: Callable[[CacheError], object],
        on_up: Callable[[], object],
    ) -> None:
        self._address = address
        self._bus = bus
        self._marks = marks
        self._pulse = pulse
        self._on_down = on_down
        self._on_up = on_up
        self._is_closed = False
        self.reset_after_fork()
        reset_in_child(self)

    def reset_after_fork(self) -> None:
        """Begin anew in a child, which hears nothing yet."""
        self._marks.keep_good(float("-inf"))
        self._marks.move_all()
        self._stopped = threading.Event()
        self._start_lock = threading.Lock()
        self._heard: list[_Heard] = []
        self._probes = 0
        self._is_up: bool | None = None
        self.is_started = False

    @property
    def is_up(self) -> bool:
        """Whether every primary is heard."""
        return self._is_up is True

    def start(self) -> None:
        """Begin to hear, on a thread; do nothing when that has begun, or the channel was closed."""
        with self._start_lock:
            if self.is_started or self._is_closed:
                return
            self.is_started = True
        threading.Thread(target=self._work, name="cachery-changes", daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._is_closed = True
        self._stopped.set()
        for heard in self._heard:
            heard.ear.close()

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopped.is_set():
            began = stopwatch()
            try:
                self._hear_all()
            except (CacheConnectionError, CacheTimeoutError) as error:
                self._note_down(error)
            except Exception as error:  # whatever it is: nobody would hear without this thread
                _logger.exception("hearing what others change failed, and is tried again")
                self._note_down(CacheConnectionError(repr(error), backend="redis"))
            finally:
                self._let_go()
            pause = _FIRST_PAUSE if stopwatch() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            self._stopped.wait(pause * _chance.uniform(0.5, 1))  # so that not all come back at once

    def _hear_all(self) -> None:
        """Hear all primaries until one is lost. Raises ``CacheConnectionError`` or ``CacheTimeoutError``."""
        for place, slots in places_to_hear(self._address).items():
            ear = Ear(self._address, place)
            self._heard.append(_Heard(ear, slots, alive_at=stopwatch()))
            ear.open(self._bus.greeting())
        self._marks.move_all()  # what was said before, nobody has heard
        with DefaultSelector() as ready:
            self._go_on_hearing(ready)

    def _go_on_hearing(self, ready: BaseSelector) -> None:
        """Listen to all, and send a probe with every beat."""
        try:
            for heard in self._heard:
                ready.register(heard.ear, EVENT_READ, heard)
        except (OSError, ValueError) as error:
            raise CacheConnectionError("the channel was closed", backend="redis") from error
        next_beat = stopwatch()
        while not self._stopped.is_set():
            if stopwatch() >= next_beat:
                self._beat()
                next_beat = stopwatch() + self._pulse.beat
            self._listen(ready, max(next_beat - stopwatch(), 0.0))

    def _beat(self) -> None:
        """Send the next probe to every primary, and give up one whose last is overdue."""
        self._probes += 1
        sent = (self._marks.now(), stopwatch())
        for heard in self._heard:
            if sent[1] - heard.alive_at > self._pulse.patience + self._pulse.beat:
                raise CacheTimeoutError(f"no message came back from {heard.ear.name}", backend="redis")
            heard.sent[self._probes] = sent
            heard.ear.tell(self._bus.probe(self._probes, heard.slots))
            if heard.slots is not None:
                heard.ear.tell([("CLUSTER", "SLOTS")])

    def _listen(self, ready: BaseSelector, timeout: float) -> None:
        """Take in what is said within ``timeout`` seconds."""
        for key, _ in ready.select(timeout):
            heard: _Heard = key.data
            for push in heard.ear.heard():
                self._take_in(heard, self._bus.heard(push))
            _check_layout(heard)

    def _take_in(self, heard: _Heard, message: Message) -> None:
        if message.names is None:
            self._marks.move_all()
        elif message.names:
            self._marks.move(message.names)
        if message.probe in heard.sent:
            heard.good_from, heard.alive_at = heard.sent[message.probe]
            heard.sent = {number: sent for number, sent in heard.sent.items() if number > (message.probe or 0)}
            self._keep_good()

    def _keep_good(self) -> None:
        """Let copies be served as long as the primary says that was heard of least lately."""
        good_from = min(heard.good_from for heard in self._heard)
        self._marks.keep_good(good_from + self._pulse.bound)
        if self._is_up is not True and good_from > float("-inf"):
            was_down, self._is_up = self._is_up is False, True
            if was_down:
                self._on_up()

    def _note_down(self, error: CacheError) -> None:
        if self._is_up is not False and not self._stopped.is_set():
            self._is_up = False
            _logger.warning("changes made by others are not heard: %s", error)
            self._on_down(error)

    def _let_go(self) -> None:
        heard, self._heard = self._heard, []
        for one in heard:
            one.ear.close()


def _check_layout(heard: _Heard) -> None:
    """Raise ``CacheConnectionError`` when slots have moved: then others are to be heard."""
    layout = heard.ear.answer
    if heard.layout is None:
        heard.layout = layout
    elif layout != heard.layout:
        raise CacheConnectionError("slots of the cluster have moved", backend="redis")
