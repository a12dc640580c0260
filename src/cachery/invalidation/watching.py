"""``watch``: what depends on a file is invalidated when the file changes. The one file that knows watchfiles.

A file is watched through its directory, so that one that is replaced, or vanishes and comes back, stays watched. Of a
directory everything beneath is watched; what stands there is remembered, since a directory that is moved away tells
nothing of the files in it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event, Thread, current_thread
from types import TracebackType
from typing import Any, Self

from cachery.exceptions import CacheClosedError, CacheInvalidationError, CacheValueError
from cachery.invalidation.graph import DependencyGraph, hit
from cachery.sources.source import File

try:
    from watchfiles import watch as changes_in
except ImportError as error:
    raise ImportError('watching files needs an extra: pip install "cachery[watch]"') from error

__all__ = ["Watch", "watch"]

_log = logging.getLogger("cachery")
_LOOK_MS = 50
_LONGEST_PAUSE = 5.0
_QUIET_MS = 20
_LONGEST_MS = 200
_PATIENCE = 5.0


def watch(
    target: Any, paths: Iterable[str | os.PathLike[str]], *, on_change: Callable[[frozenset[str]], None] | None = None
) -> Watch:
    """Invalidate in ``target``, a cache or a ``DependencyGraph``, what depends on ``paths``, as soon as they change.

    A directory stands for all files beneath it. ``on_change`` is called with the paths that have changed, after they
    were invalidated, on the thread that watches. A path that vanishes counts as changed, and is watched for its return.
    Changes reach the cache some 20 ms after the last of a series, 200 ms after the first at most.

    A link is watched, not what it leads to. When ``target`` is closed, so is the watch.

    Raises ``CacheInvalidationError`` for a path whose directory is not there, and where the system does not let us
    watch; ``CacheValueError`` for no path at all.

    >>> from cachery import InMemoryCache
    >>> cache = InMemoryCache()
    >>> with watch(cache, ["docs"]) as watching:
    ...     watching.is_running
    True
    """
    if on_change is not None and not callable(on_change):
        raise CacheValueError(f"on_change is a function of the paths that have changed, not {on_change!r}")
    if paths is None or isinstance(paths, str | os.PathLike):
        raise CacheValueError(f"paths is a collection of paths, not {paths!r}: write for instance ['src']")
    watched = [File(path, "never").path for path in paths]
    if not watched:
        raise CacheValueError("there is nothing to watch: give one path at least")
    for path in watched:
        if not os.path.isdir(_directory_of(path)):  # noqa: PTH112 - text throughout
            raise CacheInvalidationError(f"{path} cannot be watched: its directory is not there", path=path)
    return Watch(_invalidator(target), watched, on_change)


class Watch:
    """Files that are being watched, by a daemon thread, until ``close``. Made by ``watch``."""

    def __init__(
        self,
        invalidate: Callable[[list[File]], object],
        paths: Iterable[str],
        on_change: Callable[[frozenset[str]], None] | None,
    ) -> None:
        self.paths = tuple(dict.fromkeys(paths))
        self._invalidate = invalidate
        self._on_change = on_change
        self._files = frozenset(path for path in self.paths if not os.path.isdir(path))  # noqa: PTH112
        self._known: dict[str, bool] = {}  # what stands there, and whether it is a directory
        self._owed: set[str] = set()  # what has changed and is not invalidated yet
        self._failure: Exception | None = None
        self._places: dict[str, int | None] = {}
        self._stop = Event()
        self._ready = Event()
        self._thread = Thread(target=self._run, name="cachery-watch", daemon=True)
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            self.close()
            shown = ", ".join(self.paths)
            raise CacheInvalidationError(f"{shown} cannot be watched: {self._failure}") from self._failure

    @property
    def is_running(self) -> bool:
        """Whether the thread of this process is at work."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop watching. Closing again does nothing."""
        self._stop.set()
        if current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Watch of {', '.join(self.paths)}>"

    def _run(self) -> None:
        pause = _LOOK_MS / 1000
        while not self._stop.is_set():
            try:
                self._watch_places()
                self._failure, pause = None, _LOOK_MS / 1000
            except CacheClosedError:
                _log.info("the cache was closed, so %s are watched no more", ", ".join(self.paths))
                return
            except Exception as error:  # noqa: BLE001 - told, and begun again
                if type(error) is not type(self._failure):  # once an episode
                    _log.warning("watching %s failed; it is begun again", ", ".join(self.paths), exc_info=True)
                self._failure = error
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _watch_places(self) -> None:
        """Watch what is there, until one of the places is gone or another stands there."""
        self._places = {place: _inode(place) for place in self._directories()}
        standing = [place for place, inode in self._places.items() if inode is not None]
        missed = self._known
        self._known = {path: is_directory for place in standing for path, is_directory in self._beneath(place)}
        if self._ready.is_set():  # nobody has looked for a while: told once the new watch stands
            self._owed |= missed.keys() | self._known.keys()
        if not standing:
            self._tell()
            self._ready.set()
            self._stop.wait(_LOOK_MS / 1000)
            return
        found = changes_in(
            *standing,
            watch_filter=None,
            debounce=_LONGEST_MS,
            step=_QUIET_MS,
            stop_event=self._stop,
            rust_timeout=_LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
            recursive=len(self._files) < len(self.paths),
        )
        for changes in found:
            for _, changed in changes:
                self._owed |= self._affected(os.path.abspath(changed))  # noqa: PTH100
            self._tell()
            self._ready.set()
            if self._stop.is_set() or any(_inode(place) != inode for place, inode in self._places.items()):
                return

    def _directories(self) -> list[str]:
        return list(dict.fromkeys(_directory_of(path) if path in self._files else path for path in self.paths))

    def _beneath(self, place: str) -> Iterator[tuple[str, bool]]:
        """Yield the paths to be watched that stand in ``place``, each with whether it is a directory."""
        if place in self.paths:
            for directory, names, files in os.walk(place):
                yield from ((os.path.join(directory, name), True) for name in names)  # noqa: PTH118
                yield from ((os.path.join(directory, name), False) for name in files)  # noqa: PTH118
        yield from ((path, False) for path in self._files if _directory_of(path) == place)

    def _affected(self, path: str) -> set[str]:
        """Return ``path``, and what stood beneath it or stands there now, as far as it is watched."""
        was_directory, is_directory = self._known.get(path), os.path.isdir(path)  # noqa: PTH112
        if not was_directory and not is_directory:
            if not os.path.exists(path):  # noqa: PTH110
                self._known.pop(path, None)
            elif self._is_watched(path):
                self._known[path] = False
            return {path} if self._is_watched(path) else set()
        gone = {known for known in self._known if known == path or known.startswith(path + os.sep)}
        here = {path: is_directory} if os.path.exists(path) else {}  # noqa: PTH110
        if is_directory:
            here |= {str(each): each.is_dir() for each in Path(path).rglob("*")}
        for each in gone:
            del self._known[each]
        self._known |= {each: is_directory for each, is_directory in here.items() if self._is_watched(each)}
        return {each for each in (path, *gone, *here) if self._is_watched(each)}

    def _is_watched(self, path: str) -> bool:
        return path in self._files or any(
            path == place or path.startswith(place + os.sep) for place in self.paths if place not in self._files
        )

    def _tell(self) -> None:
        """Invalidate what depends on what has changed, and on the directories that hold it."""
        changed = frozenset(self._owed)
        if not changed:
            return
        holders = {os.path.dirname(path) for path in changed}  # noqa: PTH120
        self._invalidate([File(path, "never") for path in sorted(changed | holders)])
        self._owed -= changed
        if self._on_change is None:
            return
        try:
            self._on_change(changed)
        except Exception:  # noqa: BLE001 - told
            _log.warning("on_change failed", exc_info=True)


def _invalidator(target: Any) -> Callable[[list[File]], object]:
    """Return what invalidates files in ``target``; of an asynchronous cache its blocking door does."""
    if isinstance(target, DependencyGraph):
        cache = getattr(target.cache, "blocking", target.cache)
        return lambda files: hit(cache, target.reached(*files))
    cache = getattr(target, "blocking", target)
    if not hasattr(cache, "invalidate_tags"):
        raise CacheValueError(f"watch invalidates in a cache or a DependencyGraph, not in {type(target).__name__}")
    return lambda files: cache.invalidate_tags(*[file.tag for file in files])


def _directory_of(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120


def _inode(place: str) -> int | None:
    try:
        return os.stat(place).st_ino  # noqa: PTH116
    except OSError:
        return None
