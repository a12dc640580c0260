"""``cachery demo``: the cache at work, measured on the spot."""

from __future__ import annotations

from dataclasses import dataclass

from cachery import compiled
from cachery.cli.quick_start import run_quick_start
from cachery.cli.ratios import ratio_rows, requests_made
from cachery.cli.screen import Screen
from cachery.policies import POLICIES
from cachery.simulation import measure_speed, read_trace, shipped_traces, simulate

__all__ = ["show_demo"]

_QUICK_REQUESTS = 10_000


@dataclass(frozen=True, slots=True)
class _Workload:
    """A shipped trace, what it is, and the sizes of the caches it goes through."""

    name: str
    title: str
    sizes: tuple[int, ...]


_WORKLOADS = (
    _Workload("web07", "product pages of a web shop", (500, 1000, 2000)),
    _Workload("multi2", "block references of a small workload", (500, 1000, 1500)),
)


def show_demo(*, is_quick: bool = False) -> None:
    """Print the first steps, hit ratios and the cost of a hit. ``is_quick``: ratios of the beginning of the traces."""
    screen = Screen()
    _show_quick_start(screen)
    for workload in _WORKLOADS:
        _show_hit_ratios(screen, workload, _QUICK_REQUESTS if is_quick else None)
    _show_speed(screen)


def _show_quick_start(screen: Screen) -> None:
    screen.line("First steps", "bold")
    screen.line()
    for statement, result in run_quick_start():
        screen.line(f">>> {statement}", "cyan")
        if result:
            screen.line(result)
    screen.line()


def _show_hit_ratios(screen: Screen, workload: _Workload, most_requests: int | None) -> None:
    trace = read_trace(shipped_traces()[workload.name])[:most_requests]
    with screen.bar(workload.name, requests_made(trace, workload.sizes, POLICIES)) as advance:
        simulation = simulate(trace, workload.sizes, progress=advance)
    screen.table(
        f"Hit ratios of {workload.name}, {workload.title}: {len(trace):,} requests",
        ["policy", *(f"{size:,} entries  " for size in workload.sizes)],
        ratio_rows(simulation),
        are_numbers=True,
    )
    screen.line("* the best policy at this size. No entry has a TTL here, so ttl goes by the order of storing.", "dim")
    screen.line()


def _show_speed(screen: Screen) -> None:
    speeds = measure_speed()
    plain = speeds[0].nanoseconds
    screen.table(
        f"Nanoseconds per hit; the cache runs {'compiled' if compiled else 'interpreted'}",
        ["call", "ns", f"times {speeds[0].call}"],
        [[speed.call, f"{speed.nanoseconds:.0f}", f"{speed.nanoseconds / plain:.1f}"] for speed in speeds],
        are_numbers=True,
    )
    screen.line("The best of several runs over 1,000 keys, the loop around the calls included.", "dim")
    if not compiled:
        screen.line("Compiled it is ten times faster and more: `cachery doctor` tells how to get that.", "dim")
