"""What a policy would have done: access traces, replayed, beside the best that was possible.

>>> from cachery.simulation import optimal_hits, read_trace, replay_trace, shipped_traces
>>> trace = read_trace(shipped_traces()["multi2"])
>>> replayed = replay_trace(trace, policy="lru", size=500)
>>> f"{replayed.hit_ratio:.2%} of at best {optimal_hits(trace, 500) / len(trace):.2%}"
'35.98% of at best 53.62%'
"""

from __future__ import annotations

from cachery.recording import TraceRecording, record_trace
from cachery.simulation.belady import optimal_hits
from cachery.simulation.chart import draw_chart
from cachery.simulation.outcomes import Recommendation, Simulation
from cachery.simulation.pfoo import hits_at_most
from cachery.simulation.replay import Progress, Replay, replay_trace
from cachery.simulation.simulator import simulate, suggest_sizes
from cachery.simulation.speed import Speed, measure_speed
from cachery.simulation.traces import read_sized_trace, read_trace, shipped_traces
from cachery.simulation.workload import Trace, Unit

__all__ = [
    "Progress",
    "Recommendation",
    "Replay",
    "Simulation",
    "Speed",
    "Trace",
    "TraceRecording",
    "Unit",
    "draw_chart",
    "hits_at_most",
    "measure_speed",
    "optimal_hits",
    "read_sized_trace",
    "read_trace",
    "record_trace",
    "replay_trace",
    "shipped_traces",
    "simulate",
    "suggest_sizes",
]
