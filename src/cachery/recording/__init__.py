"""What a live cache is asked for, written down as a trace that ``cachery.simulation`` reads."""

from __future__ import annotations

from cachery.recording.trace import TraceRecording, record_trace

__all__ = ["TraceRecording", "record_trace"]
