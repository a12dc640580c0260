"""Bytes made smaller by zlib, zstd or lz4, and inflated to no more than was agreed on."""

from __future__ import annotations

import threading
import zlib
from typing import Any, Protocol

from cachery.exceptions import CacheValueError
from cachery.serializers.extras import import_extra

__all__ = ["METHODS", "Compression"]

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LZ4_MAGIC = b"\x04\x22\x4d\x18"
_ZSTD_SMALLEST_WINDOW = 8 * 2**20
_ZSTD_PIECE = 256
"""Bytes of input taken at once where a frame hides its size: they inflate to 8 MiB at most."""

_LZ4_RATIO = 255
"""A byte of lz4 stands for no more than this many."""


class Compression:
    """Compresses by ``method``: ``zlib``, ``zstd`` or ``lz4``.

    ``level`` is that of the method: 0 to 9, -100 to 22, 0 to 16; its default if ``None``. ``limit`` is the most bytes
    that ``decompress`` may return. ``code`` is the number of the method in what is stored, and never changes.

    Raises ``CacheValueError`` for another method, level or limit, ``ImportError`` if the extra is not installed.

    >>> compression = Compression("zlib", limit=1000)
    >>> data = compression.compress(b"tea" * 300)
    >>> len(data) < 30, len(compression.decompress(data)), compression.code
    (True, 900, 1)
    """

    __slots__ = ("_method", "code", "level", "limit", "method")

    def __init__(self, method: str, level: int | None = None, *, limit: int) -> None:
        if not isinstance(method, str) or method not in _METHODS:
            raise CacheValueError(f"Unknown compression: {method!r}; there are {', '.join(METHODS)}")
        self.code, make, levels, default = _METHODS[method]
        self.method = method
        self.level = _checked_level(method, default if level is None else level, levels)
        self.limit = _checked_limit(limit)
        self._method: _Method = make(self.level)

    def __repr__(self) -> str:
        return f"Compression({self.method!r}, {self.level}, limit={self.limit})"

    def compress(self, data: bytes) -> bytes:
        """Return ``data``, smaller if it repeats itself.

        >>> Compression("zlib", limit=10).compress(b"").hex()
        '789c030000000001'
        """
        return self._method.compress(data)

    def decompress(self, data: bytes) -> bytes:
        """Return what ``data`` was made from.

        Raises ``ValueError`` if that is more than ``limit`` bytes, for damaged data, and for bytes after its end.

        >>> Compression("zlib", limit=100).decompress(Compression("zlib", limit=100).compress(b"tea" * 40))
        Traceback (most recent call last):
            ...
        ValueError: zlib data inflates to more than the limit of 100 bytes
        """
        try:
            inflated = self._method.decompress(data, self.limit)
        except Exception as error:
            raise ValueError(f"{self.method} data is damaged: {error}") from error
        if inflated is None:
            raise ValueError(f"{self.method} data inflates to more than the limit of {self.limit} bytes")
        return inflated


class _Method(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def decompress(self, data: bytes, limit: int) -> bytes | None:
        """Return the inflated bytes, ``None`` if they are more than ``limit``; raise anything for damaged data."""


class _Zlib:
    def __init__(self, level: int) -> None:
        self._level = level

    def compress(self, data: bytes) -> bytes:
        return zlib.compress(data, self._level)

    def decompress(self, data: bytes, limit: int) -> bytes | None:
        inflater = zlib.decompressobj()
        inflated = inflater.decompress(data, limit + 1)
        return _whole(inflater, inflated, limit)


class _Zstd:
    """A frame tells the size of its content, and its decompressor believes it, so that is looked at first."""

    def __init__(self, level: int) -> None:
        self._module = import_extra("zstandard", "compression")
        self._level = level
        self._own = threading.local()  # its objects must not be used by two threads at once

    def compress(self, data: bytes) -> bytes:
        compressor = getattr(self._own, "compressor", None)
        if compressor is None:
            compressor = self._module.ZstdCompressor(level=self._level, write_checksum=True, write_content_size=True)
            self._own.compressor = compressor
        compressed: bytes = compressor.compress(data)
        return compressed

    def decompress(self, data: bytes, limit: int) -> bytes | None:
        if data[:4] != _ZSTD_MAGIC:
            raise ValueError("it is no zstd frame")
        size = self._module.get_frame_parameters(data).content_size
        if size in {0, self._module.CONTENTSIZE_UNKNOWN}:
            return self._in_pieces(data, limit)
        if size > limit:
            return None
        decompressor = getattr(self._own, "decompressor", None)
        if decompressor is None:
            decompressor = self._own.decompressor = self._module.ZstdDecompressor()
        inflated: bytes = decompressor.decompress(data, allow_extra_data=False)
        return inflated

    def _in_pieces(self, data: bytes, limit: int) -> bytes | None:
        window = max(limit, _ZSTD_SMALLEST_WINDOW)
        inflater = self._module.ZstdDecompressor(max_window_size=window).decompressobj()
        inflated = bytearray()
        for start in range(0, len(data), _ZSTD_PIECE):
            if inflater.eof:
                raise ValueError("there is something after its end")
            inflated += inflater.decompress(data[start : start + _ZSTD_PIECE])
            if len(inflated) > limit:
                return None
        return _whole(inflater, bytes(inflated), limit)


class _Lz4:
    def __init__(self, level: int) -> None:
        self._module = import_extra("lz4.frame", "compression")
        self._level = level

    def compress(self, data: bytes) -> bytes:
        compressed: bytes = self._module.compress(
            data, compression_level=self._level, content_checksum=True, store_size=True
        )
        return compressed

    def decompress(self, data: bytes, limit: int) -> bytes | None:
        if data[:4] != _LZ4_MAGIC:
            raise ValueError("it is no lz4 frame")
        if self._module.get_frame_info(data)["content_size"] > limit:
            return None
        inflater = self._module.LZ4FrameDecompressor()
        inflated = inflater.decompress(data, max_length=min(limit, len(data) * _LZ4_RATIO) + 1)
        return _whole(inflater, inflated, limit)


def _whole(inflater: Any, inflated: bytes, limit: int) -> bytes | None:
    """Return ``inflated`` if ``inflater`` ended with it and used all input, ``None`` if it is beyond ``limit``."""
    if len(inflated) > limit:
        return None
    if not inflater.eof:
        raise ValueError("it is cut off")
    if inflater.unused_data:
        raise ValueError("there is something after its end")
    return inflated


def _checked_level(method: str, level: object, levels: range) -> int:
    if type(level) is not int or level not in levels:
        raise CacheValueError(f"the level of {method} is {levels[0]} to {levels[-1]}, not {level!r}")
    return level


def _checked_limit(limit: object) -> int:
    if type(limit) is not int or limit < 1:
        raise CacheValueError(f"limit is a number of bytes of 1 or more, not {limit!r}")
    return limit


_METHODS: dict[str, tuple[int, type[_Zlib | _Zstd | _Lz4], range, int]] = {
    "zlib": (1, _Zlib, range(-1, 10), 6),
    "zstd": (2, _Zstd, range(-100, 23), 3),
    "lz4": (3, _Lz4, range(17), 0),
}

METHODS = tuple(_METHODS)
"""The names, in the order of their codes."""
