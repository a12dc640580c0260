"""``StreamLog``: a stream of Redis or Valkey as a log: the one file of replication that knows the client library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import randbits
from typing import Any, TypeVar

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError as error:
    raise ImportError('StreamLog needs the package redis: pip install "cachery[redis]"') from error

from cachery.exceptions import CacheConnectionError, CacheValueError
from cachery.model.durations import Duration, life_of
from cachery.replication.log import BEGINNING, LogState, Record

__all__ = ["StreamLog"]

T = TypeVar("T")

_MARK = "cachery"
_LONGEST_BLOCK = 2.0


class StreamLog:
    """The stream ``stream`` of one server, which keeps about the last ``max_length`` records.

    ``server``: a URL such as ``"redis://host:6379/0"``, or a client of redis-py that returns ``bytes`` and waits for
    answers longer than 2 seconds; it stays open. ``timeout``: how long to wait for an answer, with a URL. Needs Redis 7
    or Valkey. A site that was away for longer than ``max_length`` records begins anew from what the others hold.

    The generation of the stream is the id of a consumer group, which nobody reads by: it goes when the stream goes.

    Raises ``CacheValueError`` for another server; its methods, ``CacheConnectionError``. Nothing is connected before
    one of them is called.

    >>> from cachery.replication import StreamLog
    >>> StreamLog("redis://localhost:6379/0", "shop:replication")
    <StreamLog 'shop:replication'>
    """

    def __init__(
        self,
        server: Any,
        stream: str = "cachery:replication",
        *,
        max_length: int = 100_000,
        timeout: Duration = 5,
    ) -> None:
        if isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 1:
            raise CacheValueError(f"max_length is a number of records, 1 or more, not {max_length!r}")
        self.stream = stream
        self.max_length = max_length
        self._is_ours = isinstance(server, str)
        patience = life_of(timeout, "timeout")
        self._longest_block = min(_LONGEST_BLOCK, patience / 2) if self._is_ours else _LONGEST_BLOCK
        self._client: Any = _client(server, patience) if isinstance(server, str) else server
        if not hasattr(self._client, "xadd"):
            raise CacheValueError(f"server is a URL or a client of redis-py, not {type(server).__name__}")

    def __repr__(self) -> str:
        return f"<StreamLog {self.stream!r}>"

    def append(self, records: Sequence[Record]) -> None:
        """Append ``records``, in one exchange."""

        def send() -> None:
            with self._client.pipeline(transaction=False) as pipeline:
                for record in records:
                    pipeline.xadd(self.stream, dict(record), maxlen=self.max_length, approximate=True)
                pipeline.execute()

        self._asked(send)

    def read(self, after: str, count: int, block: float) -> list[tuple[str, Record]]:
        """Return up to ``count`` records after the id ``after``; wait for the first at most ``block`` seconds."""
        wait = int(min(block, self._longest_block) * 1000) or None
        found: Any = self._asked(lambda: self._client.xread({self.stream: after}, count=count, block=wait))
        streams = list(found.values()) if isinstance(found, dict) else [part[1] for part in found or ()]
        return [_plain(*entry) for entry in _flat(streams)]

    def state(self) -> LogState:
        """Return how the stream stands now; make it if there is none."""
        return self._asked(self._state)

    def close(self) -> None:
        """Close the connections that this object made; who waits for an answer is told so."""
        if self._is_ours:
            self._client.connection_pool.disconnect()

    def _state(self) -> LogState:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xinfo_groups(self.stream)
            pipeline.xinfo_stream(self.stream)
            pipeline.time()
            groups, facts, (seconds, microseconds) = pipeline.execute(raise_on_error=False)
        marks = [] if isinstance(groups, Exception) else [group for group in groups if _text(group["name"]) == _MARK]
        if not marks:
            self._mark()
            return self._state()
        if isinstance(facts, Exception):
            raise facts
        generation, last = _text(marks[0]["last-delivered-id"]), _text(facts["last-generated-id"])
        added = facts.get("entries-added")
        if added is None:
            raise CacheConnectionError("replication needs Redis 7 or later: an older one does not number its records")
        return LogState(generation, last or BEGINNING, int(added), int(facts["length"]), seconds + microseconds / 1e6)

    def _mark(self) -> None:
        """Give the stream a name that no other has. Of two who do so, the first succeeds."""
        try:
            self._client.xgroup_create(self.stream, _MARK, id=f"{randbits(63)}-{randbits(63)}", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (redis.RedisError, OSError) as error:
            raise CacheConnectionError(f"the stream {self.stream!r} cannot be reached: {error}") from error


def _client(url: str, timeout: float) -> Any:
    """Return a client that tries once and gives up soon: who calls it tries again."""
    try:
        return redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as error:
        raise CacheValueError(f"server={url!r} is no URL of a server: {error}") from error


def _flat(streams: Sequence[Any]) -> list[Any]:
    """Return the entries, which the two protocols nest at different depths."""
    entries = [one for stream in streams for one in stream]
    return [one for entry in entries for one in entry] if entries and isinstance(entries[0], list) else entries


def _plain(identifier: Any, fields: Any) -> tuple[str, Record]:
    return _text(identifier), {_text(name): value for name, value in (fields or {}).items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
