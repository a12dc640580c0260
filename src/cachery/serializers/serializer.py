"""What every serializer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["CacheSerializer"]


class CacheSerializer(ABC):
    """Turns values into bytes and back. Derive from it to bring a format of your own.

    ``name`` is what the format is called. ``can_run_code`` tells whether reading bytes may run code that they name, as
    it does with pickle: such bytes are to be read only when they are signed.

    What the format cannot carry raises ``CacheSerializationError`` when it is written, rather than come back as
    something else, and so do bytes that cannot be read.

    >>> class Upper(CacheSerializer):
    ...     def serialize(self, value):
    ...         return value.upper().encode()
    ...
    ...     def deserialize(self, data):
    ...         return data.decode()
    >>> Upper().serialize("tea"), Upper().name
    (b'TEA', 'custom')
    """

    name: str = "custom"
    can_run_code: bool = False

    @abstractmethod
    def serialize(self, value: Any) -> bytes:
        """Return ``value`` as bytes."""

    @abstractmethod
    def deserialize(self, data: bytes) -> Any:
        """Return the value that ``data`` was made from."""
