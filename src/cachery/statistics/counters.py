"""The counters of one cache, and the clock work that lets a hit rate be asked for a window of time.

Reading a clock at every hit would cost more than the rest of the count. So the clock is read every ``step`` hits or
misses: at each one while they are rare, at every 64th while they come within a millisecond of each other. Between two
readings the state at the last one is kept, and noted in the window when a quarter of a second has passed. So a window
is off by at most 64 hits, 64 misses and a quarter of a second at its far edge. A clock that was given is read at every
operation.
"""

from __future__ import annotations

try:
    import cython
    from cython import critical_section

    if not cython.compiled:  # the Cython package itself: it has no locks
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]
    from cachery._cython import critical_section  # type: ignore[assignment]

from typing import Any

from cachery.locks import make_lock
from cachery.ports.clock import Clock
from cachery.statistics.window import RateWindow

if not cython.compiled:
    from cachery.ports.clock import monotonic as coarse_seconds

COUNTED = (
    "hits",
    "misses",
    "writes",
    "deletes",
    "evictions",
    "expirations",
    "load_success",
    "load_failure",
    "stale_hits",
    "coalesced",
)


@cython.final
@cython.cclass
class Counters:
    """Counts of operations; ``window`` remembers how hits and misses stood over time.

    A compiled store counts in the fields and calls ``tick`` when hits or misses reach what is due; others use the
    methods.
    """

    hits: int
    misses: int
    writes: int
    deletes: int
    evictions: int
    expirations: int
    load_success: int
    load_failure: int
    stale_hits: int
    coalesced: int
    window: RateWindow
    clock: Clock | None
    guard: Any
    hits_due: int
    misses_due: int
    step: int
    ticked: float
    noted: float
    ticked_hits: int
    ticked_misses: int

    def __init__(self, clock: Clock | None = None) -> None:
        self.guard = None if cython.compiled else make_lock()
        self.clock = clock
        self.reset()

    def reset(self) -> None:
        """Set every counter to 0 and forget the window."""
        window = RateWindow()
        now: cython.double = self.now()
        with critical_section(self):
            for name in COUNTED:
                setattr(self, name, 0)
            self.ticked_hits = self.ticked_misses = 0
            self.hits_due = self.misses_due = self.step = 1
            self.ticked = self.noted = now
            self.window = window

    def now(self) -> float:
        """Return the time of the clock in use, in seconds."""
        return coarse_seconds() if self.clock is None else self.clock()

    def count(self, name: str, by: Any = 1) -> None:
        """Add ``by`` to the counter ``name``."""
        with critical_section(self):
            setattr(self, name, getattr(self, name) + by)

    @cython.ccall
    def hit(self) -> None:
        """Count a request that was answered."""
        with critical_section(self):
            self.hits += 1
            if self.hits >= self.hits_due:
                self.tick()

    @cython.ccall
    def miss(self) -> None:
        """Count a request that was not."""
        with critical_section(self):
            self.misses += 1
            if self.misses >= self.misses_due:
                self.tick()

    @cython.ccall
    def load(self, is_success: cython.bint) -> None:
        """Count a call of a loader."""
        with critical_section(self):
            if is_success:
                self.load_success += 1
            else:
                self.load_failure += 1

    def hit_rate_since(self, seconds: float) -> float:
        """Return the share of hits among the requests of the last ``seconds``, 0.0 when there were none."""
        since = self.now() - seconds
        with critical_section(self):
            hits, misses = self.window.before(since)
            if self.ticked <= since:
                hits, misses = self.ticked_hits, self.ticked_misses
            hits, misses = self.hits - hits, self.misses - misses
        return hits / (hits + misses) if hits + misses else 0.0

    def copy(self) -> Counters:
        """Return counters that stand as these stand now, their clock too."""
        moment = self.now()
        twin = Counters(lambda: moment)
        with critical_section(self):
            for name in COUNTED:
                setattr(twin, name, getattr(self, name))
            twin.window = self.window.copy()
            twin.ticked, twin.noted = self.ticked, self.noted
            twin.ticked_hits, twin.ticked_misses = self.ticked_hits, self.ticked_misses
        return twin

    @cython.cfunc
    def tick(self) -> cython.void:
        """Read the clock; keep how hits and misses stand."""
        now: cython.double = self.now()
        if self.clock is not None or now - self.ticked > 0.01:  # noqa: PLR2004 - the module says what the numbers are
            self.step = 1
        elif now - self.ticked < 0.001 and self.step < 64:  # noqa: PLR2004
            self.step *= 2
        self.hits_due = self.hits + self.step
        self.misses_due = self.misses + self.step
        if now - self.noted >= 0.25 or (self.clock is not None and now != self.ticked):  # noqa: PLR2004
            self.noted = now
            self.window.note(self.ticked, self.ticked_hits, self.ticked_misses)
        self.ticked = now
        self.ticked_hits = self.hits
        self.ticked_misses = self.misses
