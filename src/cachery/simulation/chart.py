"""Draws a simulation: hit ratio over size, a line a policy, as a picture in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import cycle
from math import ceil, log2

from cachery.simulation.outcomes import Simulation
from cachery.simulation.workload import Unit, size_labels

__all__ = ["draw_chart"]

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 560, 56, 376
_LEGEND_STEP = 24
_LABEL_GAP = 44
_SERIES = 6

_STYLE = """
svg { font: 13px system-ui, sans-serif; --back: #ffffff; --ink: #1f2328; --dim: #59636e; --grid: #d8dde3;
  --c0: #0072b2; --c1: #d55e00; --c2: #00815c; --c3: #a0447a; --c4: #8a6100; --c5: #4a4fb3; }
@media (prefers-color-scheme: dark) { svg { --back: #12161c; --ink: #e6e9ee; --dim: #9aa4b0; --grid: #333b45;
  --c0: #5cb3ec; --c1: #ff9350; --c2: #3fcf9f; --c3: #ea93c6; --c4: #e3b341; --c5: #a9acff; } }
.back { fill: var(--back); } text { fill: var(--ink); } .dim { fill: var(--dim); }
.grid { stroke: var(--grid); } .line { fill: none; stroke-width: 2; }
.optimum { stroke: var(--dim); stroke-dasharray: 6 4; }
""" + "\n".join(
    f".s{number} {{ stroke: var(--c{number}); }} .m{number} {{ fill: var(--c{number}); }}" for number in range(_SERIES)
)

_MARKS = (
    "M-4,0 a4,4 0 1,0 8,0 a4,4 0 1,0 -8,0",
    "M-4,-4 h8 v8 h-8 z",
    "M0,-5 L5,4 H-5 z",
    "M0,-5.5 L5.5,0 L0,5.5 L-5.5,0 z",
    "M0,5 L5,-4 H-5 z",
    "M-5,-2 h3 v-3 h4 v3 h3 v4 h-3 v3 h-4 v-3 h-3 z",
)


def draw_chart(simulation: Simulation, *, title: str = "Hit ratio by cache size") -> str:
    """Return ``simulation`` as a picture in SVG: hit ratio in percent over size, a line a policy.

    Sizes stand in proportion to their logarithms. Policies with the same hits share a line. Colours suit a light
    and a dark page, and each line has a mark of its own.

    >>> from cachery.simulation import simulate
    >>> draw_chart(simulate(list("abcab"), [1, 2]))[:4]
    '<svg'
    """
    scale = _Scale(simulation)
    lines = _lines(simulation)
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(str(simulation.recommendation))}</desc>",
        f"<style>{_STYLE}</style>",
        f'<rect class="back" {size} rx="6"/>',
        _text(_LEFT, 28, title, "start", 'font-size="16" font-weight="600"'),
        *_ratio_axis(scale),
        *_size_axis(scale, simulation.sizes, simulation.unit),
        *_curve(scale, simulation.optimal_hit_ratios, "optimum", None),
    ]
    for number, (_, ratios) in enumerate(lines):
        parts += _curve(scale, ratios, f"s{number % _SERIES}", number % _SERIES)
    return "\n".join([*parts, *_legend(simulation.optimum, [names for names, _ in lines]), "</svg>", ""])


class _Scale:
    """Where on the picture sizes and ratios stand."""

    def __init__(self, simulation: Simulation) -> None:
        self.sizes = simulation.sizes
        most = max(simulation.optimal_hit_ratios)
        self.step = 0.2 if most > 0.5 else 0.1 if most > 0.2 else 0.05 if most > 0.1 else 0.02  # noqa: PLR2004
        self.top = self.step * max(1, ceil(round(most / self.step, 6)))

    def x(self, size: int) -> float:
        """Return how far to the right ``size`` stands."""
        low, high = log2(self.sizes[0]), log2(self.sizes[-1])
        share = 0.5 if high == low else (log2(size) - low) / (high - low)
        return _LEFT + 16 + share * (_RIGHT - _LEFT - 32)

    def y(self, ratio: float) -> float:
        """Return how far down ``ratio`` stands."""
        return _BOTTOM - ratio / self.top * (_BOTTOM - _TOP)


def _lines(simulation: Simulation) -> list[tuple[str, tuple[float, ...]]]:
    """Return the names and ratios of each line, the one that ends highest first; equal ones are one."""
    named: dict[tuple[float, ...], list[str]] = {}
    for policy in simulation.policies:
        named.setdefault(tuple(replay.hit_ratio for replay in simulation.of_policy(policy)), []).append(policy)
    ordered = sorted(named.items(), key=lambda item: item[0][::-1], reverse=True)
    return [(", ".join(names), ratios) for ratios, names in ordered]


def _ratio_axis(scale: _Scale) -> list[str]:
    parts = []
    for number in range(round(scale.top / scale.step) + 1):
        ratio = number * scale.step
        y = scale.y(ratio)
        parts.append(f'<path class="grid" d="M{_LEFT},{y:.1f} H{_RIGHT}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{100 * ratio:.0f} %", "end", 'class="dim"'))
    return parts


def _size_axis(scale: _Scale, sizes: Sequence[int], unit: Unit) -> list[str]:
    """Return a tick for each size, and its number where there is room."""
    parts = []
    free_from = 0.0
    for size, said in zip(sizes, size_labels(sizes, unit), strict=True):
        x = scale.x(size)
        parts.append(f'<path class="grid" d="M{x:.1f},{_BOTTOM} v6"/>')
        if x >= free_from:
            parts.append(_text(x, _BOTTOM + 22, said, "middle", 'class="dim"'))
            free_from = x + _LABEL_GAP + 4 * len(said) - 16
    return [*parts, _text((_LEFT + _RIGHT) / 2, _BOTTOM + 48, f"{unit}, logarithmic", "middle")]


def _curve(scale: _Scale, ratios: Sequence[float], kind: str, mark: int | None) -> list[str]:
    points = [(scale.x(size), scale.y(ratio)) for size, ratio in zip(scale.sizes, ratios, strict=True)]
    path = " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    if len(points) == 1 and mark is None:  # a size alone: the optimum is a short line
        path = f"{points[0][0] - 12:.1f},{points[0][1]:.1f} h24"
    line = f'<path class="line {kind}" d="M{path}"/>'
    return [line, *(_mark(x, y, mark) for x, y in points if mark is not None)]


def _mark(x: float, y: float, number: int) -> str:
    return f'<path class="m{number}" transform="translate({x:.1f},{y:.1f})" d="{_MARKS[number]}"/>'


def _legend(optimum: str, names: Sequence[str]) -> list[str]:
    parts = [f'<path class="line optimum" d="M{_RIGHT + 24},{_TOP} h28"/>', _text(_RIGHT + 60, _TOP + 4, optimum)]
    for place, (name, number) in enumerate(zip(names, cycle(range(_SERIES)), strict=False), start=1):
        y = _TOP + place * _LEGEND_STEP
        parts.append(f'<path class="line s{number}" d="M{_RIGHT + 24},{y} h28"/>')
        parts.append(_mark(_RIGHT + 38, y, number))
        parts.append(_text(_RIGHT + 60, y + 4, name))
    return parts


def _text(x: float, y: float, said: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(said)}</text>'
