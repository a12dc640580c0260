"""Other processes, for tests: each is told what to do through a pipe, and can be stopped and killed.

They come from a fork server, a process that has imported everything and holds no cache, so that one costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cachery import DiskCache, InMemoryCache, TieredCache

PATIENCE = 60.0
SECRET = "a secret of tests"

_context: Any = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
_context.set_forkserver_preload([__name__, "cachery.loading", "cachery.aio", "tests.backends.disk.crashing"])


class Pipe:
    """One end of a pipe. What the other end raises is raised here as an ``AssertionError``."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def send(self, message: object) -> None:
        self.connection.send(message)

    def receive(self, patience: float = PATIENCE) -> Any:
        if not self.connection.poll(patience):
            raise AssertionError("the other process has said nothing for too long")
        said = self.connection.recv()
        if isinstance(said, _Failure):
            raise AssertionError(said.text)  # noqa: TRY004 - what failed there fails here
        return said


class _Failure:
    def __init__(self, text: str) -> None:
        self.text = text


class Actor(Pipe):
    """A process that runs ``part``, given a pipe to us and ``args``."""

    def __init__(self, part: Callable[..., object], *args: object) -> None:
        ours, theirs = _context.Pipe()
        super().__init__(ours)
        self.process = _context.Process(target=_play, args=(theirs, part, args), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(is_patient=kind is None)

    def ask(self, *message: object) -> Any:
        """Send ``message`` and return the answer."""
        self.send(message)
        return self.receive()

    def signal(self, number: int) -> None:
        process = self.process.pid
        assert process is not None
        os.kill(process, number)

    def stop(self) -> None:
        """Stop it; returns when it stands still."""
        self.signal(signal.SIGSTOP)
        assert comes_true(lambda: state_of(self.process.pid) in "TZ")

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)

    def end(self, *, is_patient: bool = True) -> None:
        """Close the pipe, which ends it, and wait."""
        self.connection.close()
        self.process.join(PATIENCE if is_patient else 0)
        if self.process.is_alive():
            self.kill()
            assert not is_patient, "the process does not come to its end"


def _play(connection: Connection, part: Callable[..., object], args: tuple[object, ...]) -> None:
    try:
        part(Pipe(connection), *args)
    except BaseException as error:  # noqa: BLE001 - it is handed on
        if not _is_closed(error):
            connection.send(_Failure(traceback.format_exc()))


def _is_closed(error: BaseException) -> bool:
    """Tell whether the pipe was closed at its other end, so that we are to end."""
    return isinstance(error, EOFError | ConnectionResetError | BrokenPipeError)


def state_of(process: int | None) -> str:
    """Return the letter that the kernel has for what ``process`` does; ``Z`` when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def comes_true(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Ask for ``condition`` until it holds; False when it does not in ``patience`` seconds."""
    waiting = _context.Event()
    for _ in range(int(patience * 200)):
        if condition():
            return True
        waiting.wait(0.005)
    return False


def disk_cache(place: Path | None, **options: Any) -> DiskCache:
    """Return a cache on ``place``."""
    return DiskCache(place, **{"secret": SECRET, "max_bytes": "64MiB", **options})


def tiered_cache(place: Path, near: int = 1000, **options: Any) -> TieredCache:
    """Return a cache on ``place`` with memory before it."""
    return TieredCache(InMemoryCache(near), disk_cache(place, **options))


def serve(pipe: Pipe, make: Callable[..., Any], place: Path, options: dict[str, Any]) -> None:
    """Hold a cache, and carry out on it what is asked for: a verb and its arguments."""
    with make(place, **options) as cache:
        pipe.send("ready")
        while True:
            verb, *args = pipe.connection.recv()
            pipe.send(carry_out(cache, verb, *args))


def carry_out(cache: Any, verb: str, *args: Any) -> Any:
    """Return what ``verb`` of ``cache`` returns, or the error that it raises."""
    try:
        if verb == "size":
            return len(cache)
        if verb == "set":
            return cache.set(*args[:2], tags=args[2] if len(args) > 2 else ())
        answer = getattr(cache, verb)(*args)
        return list(answer) if verb == "keys" else answer
    except Exception as error:  # noqa: BLE001 - it is the answer
        return error


def serving(make: Callable[..., Any], place: Path, **options: Any) -> Actor:
    """Return a process that holds a cache on ``place`` and does what ``ask`` asks for."""
    actor = Actor(serve, make, place, options)
    assert actor.receive() == "ready"
    return actor
