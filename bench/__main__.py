"""``python -m bench``: a table for each topic, the whole as Markdown, and how many bars were missed."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from importlib.metadata import version
from os import cpu_count
from platform import machine, python_version

import cachery
from bench.answers import answers
from bench.cancellations import cancellations
from bench.command_line import command_line
from bench.coroutines import coroutines
from bench.decorated import decorated
from bench.disk import disk, disk_full
from bench.disk_processes import disk_processes
from bench.effort import EFFORTS, Effort
from bench.expiry import expiry
from bench.files import files
from bench.hit_ratios import hit_ratios
from bench.hits import hits
from bench.interpreted import interpreted
from bench.invalidation import invalidation
from bench.lag import lag
from bench.loading import loading
from bench.memory import collections, memory
from bench.monitoring import monitoring
from bench.redis import redis
from bench.report import count_of_missed, markdown, plain
from bench.rows import Topic
from bench.stampede import stampede
from bench.threads import threads
from bench.tiers import outage, tiers
from bench.verbs import verbs
from bench.warming import warming
from bench.weights import weights
from bench.writes import writes

_TOPICS: tuple[Callable[[Effort], Topic], ...] = (
    hits,
    writes,
    hit_ratios,
    expiry,
    weights,
    loading,
    decorated,
    coroutines,
    stampede,
    cancellations,
    interpreted,
    memory,
    collections,
    threads,
    verbs,
    invalidation,
    warming,
    monitoring,
    disk,
    disk_full,
    disk_processes,
    files,
    lag,
    redis,
    tiers,
    outage,
    answers,
    command_line,
)


def main() -> None:
    """Measure what the command line asks for and print it; a missed bar is no failure."""
    parser = ArgumentParser(prog="python -m bench", description="Speed and memory beside the peers, measured anew.")
    parser.add_argument("--quick", action="store_true", help="show that all of it works; the numbers mean little")
    parser.add_argument("--markdown", action="store_true", help="print nothing but the table for the README")
    options = parser.parse_args()
    effort = EFFORTS["quick" if options.quick else "full"]
    if options.markdown:
        print(markdown([topic(effort) for topic in _TOPICS]))
    else:
        _print_all(effort)


def _print_all(effort: Effort) -> None:
    print(_ground(), end="\n\n")
    topics = []
    for measure in _TOPICS:
        topics.append(measure(effort))
        print(plain(topics[-1]), flush=True)
    print(markdown(topics), count_of_missed(topics), sep="\n\n")


def _ground() -> str:
    """Return one line that says what was measured on."""
    mode = "compiled" if cachery.compiled else "interpreted"
    peers = ", ".join(f"{name} {version(name)}" for name in ("cachebox", "cachetools", "cashews", "diskcache", "redis"))
    return (
        f"cachery {cachery.__version__}, {mode}; {peers}; {sys.implementation.name} {python_version()}; "
        f"{machine()}, {cpu_count()} processors"
    )


if __name__ == "__main__":
    main()
