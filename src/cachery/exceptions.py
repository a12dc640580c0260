"""Every exception of the package.

::

    CacheError
    ├── CacheConnectionError       a server or store cannot be reached
    ├── CacheExpiredError          what was asked for has expired
    ├── CacheFullError             a store that cannot grow and may not evict
    ├── CacheInvalidationError     an invalidation could not be carried out
    ├── CacheKeyError              a key that is not text (also a KeyError)
    ├── CacheValueError            an argument out of range or of the wrong kind (also a ValueError)
    ├── CacheSerializationError    a value that the chosen format cannot carry
    ├── CacheTimeoutError          a bounded wait that ran out (also a TimeoutError)
    ├── CacheRecursionError        a loader that asks for its own key
    ├── CacheCircuitOpenError      a loader that failed too often and is left alone for a while
    └── CacheClosedError           a verb on a closed cache

Each carries its data in ``context`` and survives pickling. Errors of other libraries are chained as the cause, never
raised bare.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CacheCircuitOpenError",
    "CacheClosedError",
    "CacheConnectionError",
    "CacheError",
    "CacheExpiredError",
    "CacheFullError",
    "CacheInvalidationError",
    "CacheKeyError",
    "CacheRecursionError",
    "CacheSerializationError",
    "CacheTimeoutError",
    "CacheValueError",
]


class CacheError(Exception):
    """The root of all errors of this package.

    ``cache_name``, ``backend`` and any further keyword stand in ``context``, those that are ``None`` left out.

    >>> error = CacheError("no room", cache_name="answers", key="")
    >>> str(error), error.context
    ('no room', {'cache_name': 'answers', 'key': ''})
    """

    def __init__(
        self, message: str = "", *, cache_name: str | None = None, backend: str | None = None, **context: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        given = {"cache_name": cache_name, "backend": backend, **context}
        self.context = {name: value for name, value in given.items() if value is not None}

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.context)

    def to_dict(self) -> dict[str, Any]:
        """Return the error as plain data, for a log line or a tool's reply.

        >>> CacheKeyError("a key is text", key=7).to_dict()
        {'error_type': 'CacheKeyError', 'message': 'a key is text', 'context': {'key': 7}}
        """
        return {"error_type": type(self).__name__, "message": self.message, "context": dict(self.context)}


def _rebuild(kind: type[CacheError], message: str, context: dict[str, Any]) -> CacheError:
    return kind(message, **context)


class CacheConnectionError(CacheError):
    """A server or store cannot be reached. Context: ``host``, ``port``, ``connection_timeout``."""


class CacheExpiredError(CacheError):
    """What was asked for has expired. Context: ``key``, ``expired_at``, ``ttl``."""


class CacheFullError(CacheError):
    """A store can neither grow nor evict. Context: ``max_size``, ``current_size``, ``required_space``."""


class CacheInvalidationError(CacheError):
    """An invalidation could not be carried out. Context: ``pattern``, ``keys_affected``."""


class CacheKeyError(CacheError, KeyError):
    """A key is not text. Context: ``key``, ``reason``."""


class CacheValueError(CacheError, ValueError):
    """An argument is out of range or of the wrong kind; the message names it."""


class CacheSerializationError(CacheError):
    """A value cannot be carried by the chosen format. Context: ``key``, ``value_type``."""


class CacheTimeoutError(CacheError, TimeoutError):
    """A bounded wait ran out."""


class CacheRecursionError(CacheError):
    """A loader asked for the key that it is loading."""


class CacheCircuitOpenError(CacheError):
    """A loader failed so often that its circuit breaker keeps calls from it. Context: ``retry_after``, in seconds."""


class CacheClosedError(CacheError):
    """The cache was closed."""
