"""``CacheKeyGenerator``: one key for each request, the same in every process, that shows no text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from cachery.ai.hashing import HashAlgorithm, PartHasher
from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.keys.canonical import encode
from cachery.monitoring.figures import average
from cachery.ports.clock import stopwatch

__all__ = ["CacheKeyGenerator", "checked_operation", "quoted"]

_OPERATION = re.compile(r"[\w.-]{1,100}")
_RECENT = 10


class _Monitor(Protocol):
    @property
    def key_generation_times(self) -> list[Any]: ...

    def record_key_generation_time(
        self, duration: float, text_length: int, operation_type: str = "", additional_data: Any = None
    ) -> None: ...


class CacheKeyGenerator:
    """Makes keys of texts, operations and options.

    A key is ``ai_cache:op:<operation>|txt:<text>|opts:<options>|q:<question>``, where each part but the operation is a
    digest of 160 bits; ``scope:`` stands before the text where there is one, and what is not given is left out. Equal
    requests have equal keys, in whatever order their options stand; others have others: ``1``, ``"1"`` and ``True`` are
    told apart. A text of 100 MB is read piece by piece.

    ``text_hash_threshold``: with ``text_in_key``, texts of up to so many characters stand in the key themselves.
    ``hash_algorithm``: ``None`` for BLAKE2b, or one like ``hashlib.sha256``. ``secret``: with one, nobody without it
    can find out by guessing whether a text was asked. ``performance_monitor``: is told how long each key took.

    Raises ``CacheValueError`` for a threshold below 0, an unfit algorithm and an empty secret.

    >>> generator = CacheKeyGenerator()
    >>> key = generator.generate_cache_key("A long document", "summarize", {"max_length": 100})
    >>> [part.partition(":")[0] for part in key.removeprefix("ai_cache:").split("|")]
    ['op', 'txt', 'opts']
    >>> key == generator.generate_cache_key("A long document", "summarize", {"max_length": "100"})
    False
    """

    def __init__(
        self,
        text_hash_threshold: int = 1000,
        hash_algorithm: HashAlgorithm | None = None,
        performance_monitor: _Monitor | None = None,
        *,
        secret: str | bytes | None = None,
        text_in_key: bool = False,
    ) -> None:
        if type(text_hash_threshold) is not int or text_hash_threshold < 0:
            raise CacheValueError(f"text_hash_threshold is a number of characters, not {text_hash_threshold!r}")
        if not isinstance(text_in_key, bool):
            raise CacheValueError(f"text_in_key is True or False, not {text_in_key!r}")
        self.text_hash_threshold = text_hash_threshold
        self.performance_monitor = performance_monitor
        self._hasher = PartHasher(hash_algorithm, secret)
        self._longest_shown = text_hash_threshold if text_in_key else -1

    def generate_cache_key(
        self,
        text: str,
        operation: str,
        options: Mapping[str, Any] | None = None,
        question: str | None = None,
        *,
        scope: str | None = None,
    ) -> str:
        """Return the key of a request.

        Raises ``CacheValueError`` for what is no text, for options that are no mapping, and for an operation that is
        not made of letters, digits, ``_``, ``.`` and ``-``; ``CacheKeyError`` for options that are not the same in
        every process, such as an object without a ``__cache_key__``.
        """
        begun = stopwatch()
        key = self._key(text, checked_operation(operation), options, question, scope)
        monitor = self.performance_monitor
        if monitor is not None:
            size = len(text)
            details = {
                "text_tier": "large" if size > self.text_hash_threshold else "small",
                "has_options": bool(options),
                "has_question": question is not None,
            }
            monitor.record_key_generation_time(stopwatch() - begun, size, operation, details)
        return key

    def generate_request_key(self, request: Any, operation: str, model: str, *, scope: str) -> str:
        """Return the key of a request to a model, all of which counts."""
        begun = stopwatch()
        content = _encoded(request)
        owner = self._hasher.name_of_scope(scope)
        name = self._hasher.name_of_bytes("request", content)
        if self.performance_monitor is not None:
            self.performance_monitor.record_key_generation_time(stopwatch() - begun, len(content), operation, None)
        return f"ai_cache:op:{checked_operation(operation)}|scope:{owner}|model:{quoted(model)}|req:{name}"

    def scope_part(self, scope: str) -> str:
        """Return what stands in the keys of ``scope``, and in no others."""
        return f"|scope:{self._hasher.name_of_scope(scope)}|"

    def get_key_generation_stats(self) -> dict[str, Any]:
        """Return how many keys were made, of which texts and operations, and how long they took, in seconds.

        What the monitor still remembers counts; without a monitor all is 0.
        """
        monitor = self.performance_monitor
        times = [] if monitor is None else monitor.key_generation_times
        sizes, recent = [each.text_length for each in times], times[-_RECENT:]
        large = sum(size > self.text_hash_threshold for size in sizes)
        operations = [each.operation_type for each in times]
        return {
            "total_keys_generated": len(times),
            "average_generation_time": average([each.duration for each in times]),
            "text_size_distribution": {
                "small": len(sizes) - large,
                "large": large,
                "average_size": average(sizes),
                "max_size": max(sizes, default=0),
            },
            "operation_distribution": {name: operations.count(name) for name in sorted(set(operations))},
            "recent_performance": {
                "recent_average_time": average([each.duration for each in recent]),
                "recent_measurements": len(recent),
            },
            "monitor_available": monitor is not None,
        }

    def _key(
        self, text: str, operation: str, options: Mapping[str, Any] | None, question: str | None, scope: str | None
    ) -> str:
        _check_text(text, "text")
        hasher = self._hasher
        shown = len(text) <= self._longest_shown
        key = f"ai_cache:op:{operation}"
        if scope is not None:
            key += f"|scope:{hasher.name_of_scope(scope)}"
        key += f"|txt:raw={quoted(text)}" if shown else f"|txt:{hasher.name('text', text)}"
        if options:
            key += f"|opts:{hasher.name_of_bytes('options', _encoded(_checked_options(options)))}"
        if question is not None:
            _check_text(question, "question")
            key += f"|q:{hasher.name('question', question)}"
        return key


def quoted(text: str) -> str:
    """Return ``text`` without any letter that means something in a key or a glob; another text looks otherwise."""
    return quote(text, safe="", errors="surrogatepass")


def checked_operation(operation: object) -> str:
    """Return ``operation``; raise ``CacheValueError`` where it could be taken for something else in a key or glob."""
    if not isinstance(operation, str) or not _OPERATION.fullmatch(operation):  # it may be a text: that is not shown
        raise CacheValueError(
            "an operation is named by 1 to 100 letters, digits, _, . and -, so that it is never taken for a part of "
            f"a key or for a pattern; this {type(operation).__name__} is not"
        )
    return operation


def _check_text(text: object, name: str) -> None:
    if not isinstance(text, str):
        raise CacheValueError(f"{name} is a str, not {type(text).__name__}")


def _checked_options(options: object) -> dict[Any, Any]:
    if not isinstance(options, Mapping):
        raise CacheValueError(f"options map names to values; {type(options).__name__} does not")
    return dict(options)


def _encoded(value: Any) -> bytes:
    try:
        return encode(value)
    except CacheKeyError as error:  # its advice is for arguments of functions
        reason = error.context.get("reason", "")
        raise CacheKeyError(
            f"a request cannot be told from others: {reason}; give it plain data", reason=reason
        ) from None
