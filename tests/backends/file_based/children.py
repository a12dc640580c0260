"""Caches in a directory, and other processes that use them, for tests."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cachery.events import Event, Unreadable
from cachery.file_based import FileBasedCache

SECRET = "a secret of tests"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
fork_warning = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

CALLS = ("open", "write", "close", "replace", "unlink", "utime", "access", "lstat", "fstat", "read", "scandir")
"""What a store asks of the system."""


def file_cache(place: Path, **options: Any) -> FileBasedCache:
    return FileBasedCache(place, **{"secret": SECRET, **options})


def faults_of(cache: FileBasedCache) -> list[tuple[str, str]]:
    """Return a list that fills with the key and the reason of what cannot be read."""
    faults: list[tuple[str, str]] = []

    def note(event: Event) -> None:
        if isinstance(event, Unreadable):
            faults.append((event.key, event.reason))

    cache.subscribe(note)
    return faults


def begin(work: Callable[[], object]) -> int:
    """Begin ``work`` in a child; return its process."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() is not False else 2
        except BaseException:  # noqa: BLE001 - it is printed, and this process ends here
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(work: Callable[[], object]) -> int:
    """Do ``work`` in a child; return its exit status: 0 when it was true, or nothing."""
    return status_of(begin(work))


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    status_of(child)


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """Let this process die at its call of the system of that number, from now on, before the call."""
    left = [number]

    def mortal(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os._exit(42)
            return call(*args, **named)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, mortal(getattr(os, name)))
        yield


def names_in(place: Path) -> set[str]:
    """Return the names of the files of entries, fences, tags and drafts in ``place``."""
    return {path.name for path in place.iterdir()} - {".locks", ".sequence", "cachery.json"}


class Gate:
    """Lets one process wait for another, through a pipe."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def open(self) -> None:
        os.write(self._write, b"x")

    def wait(self) -> None:
        assert os.read(self._read, 1) == b"x"

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)
