"""``cachery simulate``: which policy and which size suit a trace, with the reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cachery.cli.printing import print_json
from cachery.cli.ratios import byte_ratio_rows, ratio_rows, requests_made
from cachery.cli.screen import Screen
from cachery.cli.sizes import counted
from cachery.exceptions import CacheValueError
from cachery.policies import POLICIES
from cachery.simulation import Simulation, Trace, draw_chart, read_sized_trace, simulate, suggest_sizes

__all__ = ["read_sizes", "show_simulation"]

_PERCENT = 100


def show_simulation(
    source: str,
    *,
    sizes: Sequence[str],
    policies: Sequence[str],
    columns: str | None,
    plot: str | None,
    as_json: bool,
) -> None:
    """Simulate the trace in the file ``source``, ``-`` for standard input, and print what came of it.

    Without ``sizes`` or ``policies``: those that suit the trace, and all. ``plot``: the file for a picture. Raises
    ``CacheValueError`` for what cannot be read, simulated or written.
    """
    picture = None if plot is None else _picture(plot)
    trace = read_sized_trace(
        sys.stdin.buffer if source == "-" else source, columns=columns.split(",") if columns is not None else ()
    )
    numbers = read_sizes(sizes, trace)
    names = list(dict.fromkeys(policies or POLICIES))
    screen = Screen()
    with screen.bar("simulating", requests_made(trace, numbers, names)) as advance:
        simulation = simulate(trace, numbers, policies=names, progress=advance)
    if picture is not None:
        _draw(simulation, source, picture)
    if as_json:
        print_json(_facts(simulation))
    else:
        _show(screen, simulation, picture)


def read_sizes(sizes: Sequence[str], trace: Trace) -> tuple[int, ...]:
    """Return ``sizes`` as numbers of entries, smallest first: ``500``, ``2,000``, or ``5%`` of the distinct keys.

    Without any, those that suit the trace. Raises ``CacheValueError`` for what is neither.

    >>> read_sizes(["50%", "3"], Trace(list("abcd")))
    (2, 3)
    """
    if not sizes:
        return suggest_sizes(trace)
    distinct = len(set(trace.keys))
    return tuple(sorted({_entries(size, distinct) for size in sizes}))


def _entries(said: str, distinct: int) -> int:
    with suppress(ValueError, OverflowError):
        if not said.endswith("%"):
            entries = int(said.replace(",", ""))
        else:
            share = float(said[:-1]) / _PERCENT
            entries = max(1, round(share * distinct)) if share > 0 else 0
        if entries > 0:
            return entries
    raise CacheValueError(f"a size is a number of entries, 1 or more, or a share of the keys such as 5%, not {said!r}")


def _picture(plot: str) -> Path:
    """Return where the picture goes, before anything is simulated for it."""
    place = Path(plot)
    if place.suffix.lower() != ".svg":
        raise CacheValueError(f"a picture is an .svg file, not {plot!r}")
    if not place.parent.is_dir():
        raise CacheValueError(f"the picture cannot be written: there is no directory {str(place.parent)!r}")
    return place


def _draw(simulation: Simulation, source: str, place: Path) -> None:
    title = "Hit ratio by cache size" if source == "-" else f"Hit ratio by cache size: {Path(source).name}"
    try:
        place.write_text(draw_chart(simulation, title=title), encoding="utf-8")
    except OSError as error:
        raise CacheValueError(f"the picture {str(place)!r} cannot be written: {error.strerror}") from error


def _facts(simulation: Simulation) -> dict[str, Any]:
    optimal = zip(simulation.sizes, simulation.optimal_hits, simulation.optimal_hit_ratios, strict=True)
    advice = simulation.recommendation
    return {
        "requests": simulation.requests,
        "distinct_keys": simulation.distinct_keys,
        "results": [
            {**asdict(replay), "hit_ratio": replay.hit_ratio, "byte_hit_ratio": replay.byte_hit_ratio}
            for replay in simulation.replays
        ],
        "optimal": [{"size": size, "hits": hits, "hit_ratio": ratio} for size, hits, ratio in optimal],
        "recommendation": {**asdict(advice), "reason": advice.reason},
    }


def _show(screen: Screen, simulation: Simulation, picture: Path | None) -> None:
    columns = ["policy", *(f"{size:,}  " for size in simulation.sizes)]
    requests = counted(simulation.requests, "request", "requests")
    keys = counted(simulation.distinct_keys, "key", "keys")
    screen.table(f"Hit ratios by entries: {requests}, {keys}", columns, ratio_rows(simulation), are_numbers=True)
    if simulation.replays[0].bytes_requested is not None:
        screen.table("Hit ratios by bytes", columns, byte_ratio_rows(simulation), are_numbers=True)
    screen.line("* the best policy at this size. No entry has a TTL here, so ttl goes by the order of storing.", "dim")
    screen.line()
    screen.line(f"Recommended: {simulation.recommendation}", "bold")
    if picture is not None:
        screen.line(f"The curves are in {picture}", "dim")
