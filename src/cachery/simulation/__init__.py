"""What a policy would have done: real access traces, replayed, beside the best that was possible.

>>> from cachery.simulation import optimal_hits, read_trace, replay_trace, shipped_traces
>>> trace = read_trace(shipped_traces()["multi2"])
>>> replayed = replay_trace(trace, policy="lru", size=500)
>>> f"{replayed.hit_ratio:.2%} of at best {optimal_hits(trace, 500) / len(trace):.2%}"
'35.98% of at best 53.62%'
"""

from __future__ import annotations

from cachery.simulation.belady import optimal_hits
from cachery.simulation.replay import Progress, Replay, replay_trace
from cachery.simulation.speed import Speed, measure_speed
from cachery.simulation.traces import read_trace, shipped_traces

__all__ = [
    "Progress",
    "Replay",
    "Speed",
    "measure_speed",
    "optimal_hits",
    "read_trace",
    "replay_trace",
    "shipped_traces",
]
