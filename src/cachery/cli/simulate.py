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
from cachery.model.sizes import bytes_of
from cachery.policies import POLICIES
from cachery.simulation import Simulation, Trace, Unit, draw_chart, read_sized_trace, simulate, suggest_sizes
from cachery.simulation.workload import size_labels, weight_of

__all__ = ["read_sizes", "show_simulation"]

_PERCENT = 100
_TITLES: dict[Unit, str] = {"entries": "entries", "bytes": "size in bytes"}
_SIZES: dict[Unit, str] = {
    "entries": "a number of entries, 1 or more, or a share of the keys",
    "bytes": "a number of bytes, such as 64MiB, or a share of those of all keys",
}


def show_simulation(  # noqa: PLR0913 - an option each
    source: str,
    *,
    sizes: Sequence[str],
    unit: Unit,
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
    numbers = read_sizes(sizes, trace, unit)
    names = list(dict.fromkeys(policies or POLICIES))
    screen = Screen()
    with screen.bar("simulating", requests_made(trace, numbers, names)) as advance:
        simulation = simulate(trace, numbers, unit=unit, policies=names, progress=advance)
    if picture is not None:
        _draw(simulation, source, picture)
    if as_json:
        print_json(_facts(simulation))
    else:
        _show(screen, simulation, picture)


def read_sizes(sizes: Sequence[str], trace: Trace, unit: Unit = "entries") -> tuple[int, ...]:
    """Return ``sizes`` as numbers, smallest first: ``500``, ``2,000``, in bytes also ``64MiB``, or ``5%`` of all.

    All is the distinct keys or their bytes. Without any, those that suit the trace. Raises ``CacheValueError`` for what
    is none of these, and for bytes of a trace without sizes.

    >>> read_sizes(["50%", "3"], Trace(list("abcd")))
    (2, 3)
    """
    if not sizes:
        return suggest_sizes(trace, unit)
    weight = weight_of(trace, unit)
    return tuple(sorted({_read_size(size, weight, unit) for size in sizes}))


def _read_size(said: str, weight: int, unit: Unit) -> int:
    with suppress(ValueError, OverflowError, CacheValueError):
        if said.endswith("%"):
            share = float(said[:-1]) / _PERCENT
            size = max(1, round(share * weight)) if share > 0 else 0
        else:
            size = int(said.replace(",", "")) if unit == "entries" else bytes_of(said, "size")
        if size > 0:
            return size
    hint = "; bytes need --bytes" if unit == "entries" and said[-1:].lower() in tuple("bikmg") else ""
    raise CacheValueError(f"a size is {_SIZES[unit]} such as 5%, not {said!r}{hint}")


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
        "unit": simulation.unit,
        "results": [
            {**asdict(replay), "hit_ratio": replay.hit_ratio, "byte_hit_ratio": replay.byte_hit_ratio}
            for replay in simulation.replays
        ],
        "optimal": [{"size": size, "hits": hits, "hit_ratio": ratio} for size, hits, ratio in optimal],
        "recommendation": {**asdict(advice), "reason": advice.reason},
    }


def _show(screen: Screen, simulation: Simulation, picture: Path | None) -> None:
    columns = ["policy", *(f"{label}  " for label in size_labels(simulation.sizes, simulation.unit))]
    requests = counted(simulation.requests, "request", "requests")
    keys = counted(simulation.distinct_keys, "key", "keys")
    screen.table(
        f"Hit ratios by {_TITLES[simulation.unit]}: {requests}, {keys}",
        columns,
        ratio_rows(simulation),
        are_numbers=True,
    )
    if simulation.replays[0].bytes_requested is not None:
        screen.table("Byte hit ratios", columns, byte_ratio_rows(simulation), are_numbers=True)
    screen.line("* the best policy at this size. No entry has a TTL here, so ttl goes by the order of storing.", "dim")
    screen.line()
    screen.line(f"Recommended: {simulation.recommendation}", "bold")
    if picture is not None:
        screen.line(f"The curves are in {picture}", "dim")
