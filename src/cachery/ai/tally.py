"""What a cache of answers counts and tells: to its statistics, its monitor, and those who subscribed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from cachery.ai.places import Place
from cachery.ai.record import Facts
from cachery.ai.savings import Ledger
from cachery.ai.shelf import Parcel
from cachery.events import Answered, Listener, listening, notify, without
from cachery.locks import make_lock
from cachery.monitoring import CachePerformanceMonitor
from cachery.ports.clock import stopwatch
from cachery.statistics.stats import CacheStats

__all__ = ["Asked", "Outcome", "Tally"]

Outcome = Literal["computed", "failed", "hit", "passed"]
Looked = Literal["computed", "hit", "joined", "miss", "stale"]

_HITS = frozenset({"hit", "stale"})
_COUNTED = {"computed": "load_success", "joined": "coalesced", "stale": "stale_hits"}


class Asked(NamedTuple):
    """A request, as far as it is counted. ``begun``: the reading of the stopwatch when it came."""

    operation: str
    model: str
    scope: str
    text_length: int
    text_tier: str
    begun: float


class Tally:
    """Counts for the cache ``name``, in ``monitor`` too."""

    def __init__(self, name: str, monitor: CachePerformanceMonitor, place: Place) -> None:
        self.name = name
        self.monitor = monitor
        self._place = place
        self.stats = CacheStats()
        self.ledger = Ledger()
        self._listeners: tuple[Listener, ...] = ()
        self._lock = make_lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each event from now on; return a function that ends it."""
        end = listening(listener, self._forget)
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return end

    def looked(self, asked: Asked, outcome: Looked, *, is_at_hand: bool, seconds: float | None = None) -> None:
        """Count that an answer was looked for. ``seconds``: how long that took, ``None`` for until now."""
        is_hit, stats = outcome in _HITS, self.stats
        if is_hit:
            stats.record_hit()
        elif outcome != "joined":
            stats.record_miss()
        if outcome in _COUNTED:
            name = _COUNTED[outcome]
            setattr(stats, name, getattr(stats, name) + 1)
        tier, reason = self._tier(is_hit=is_hit, is_at_hand=is_at_hand)
        details = {"cache_tier": tier, "text_tier": asked.text_tier, "operation_type": asked.operation}
        if reason:
            details["reason"] = reason
        duration = stopwatch() - asked.begun if seconds is None else seconds
        operation = "join" if outcome == "joined" else "get"  # neither found nor missed: another's call answers it
        self.monitor.record_cache_operation_time(operation, duration, is_hit, asked.text_length, details)

    def failed(self, asked: Asked, began: float | None, error: BaseException) -> None:
        """Count that nothing was found, and that the call failed which ``began`` then, if one did."""
        outcome: Looked = "joined" if began is None else "miss"
        self.looked(asked, outcome, is_at_hand=False, seconds=0.0 if began is None else began - asked.begun)
        if began is not None:
            self.stats.load_failure += 1
        self._tell(asked, "failed", stopwatch() - asked.begun, (0, 0), type(error).__name__)

    def removed(self, count: int) -> None:
        """Count answers that somebody invalidated."""
        self.stats.deletes += count

    def _tier(self, *, is_hit: bool, is_at_hand: bool) -> tuple[str, str]:
        """Return where an answer was looked for, and why there was none."""
        reason = "" if is_hit else "key_not_found"
        if is_at_hand:
            return "memory", reason
        return ("redis_unavailable", "redis_connection_failed") if self._place.is_degraded else ("redis", reason)

    def stored(
        self, asked: Asked, parcel: Parcel, *, is_stored: bool, ttl: float, seconds: float | None = None
    ) -> None:
        """Count that an answer was stored, or could not be."""
        if is_stored:
            self.stats.record_write()
        details = {
            "text_tier": asked.text_tier,
            "operation_type": asked.operation,
            "response_size": parcel.size,
            "cache_data_size": parcel.compressed_size,
            "compression_used": parcel.is_compressed,
            "compression_time": parcel.seconds,
            "ttl": ttl,
            "status": "success" if is_stored else "failed",
        }
        duration = stopwatch() - asked.begun if seconds is None else seconds
        monitor = self.monitor
        monitor.record_cache_operation_time("set", max(duration, 0.0), False, asked.text_length, details)
        if parcel.is_compressed:
            monitor.record_compression_ratio(parcel.size, parcel.compressed_size, parcel.seconds, asked.operation)

    def answered(self, asked: Asked, outcome: Outcome, facts: Facts) -> None:
        """Count what a hit has saved, and tell who listens."""
        tokens, duration = (facts.input_tokens, facts.output_tokens), stopwatch() - asked.begun
        if outcome == "hit":
            saved = max(facts.seconds - duration, 0.0)
            self.ledger.add(asked.model, asked.operation, asked.scope, tokens=tokens, seconds=saved)
        self._tell(asked, outcome, duration, tokens)

    def _tell(
        self, asked: Asked, outcome: Outcome, duration: float, tokens: tuple[int, int], error: str | None = None
    ) -> None:
        listeners = self._listeners
        if listeners:
            model = asked.model or None
            notify(listeners, Answered(self.name, asked.operation, model, outcome, duration, *tokens, error))

    def _forget(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = without(self._listeners, listener)
