"""The extras of the package: what each is for and which modules it brings."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

__all__ = ["EXTRAS", "Extra"]


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional part of the package: its ``name`` for pip, the ``modules`` it needs, its ``purpose``."""

    name: str
    modules: tuple[str, ...]
    purpose: str

    @property
    def install_command(self) -> str:
        """What to type to have it.

        >>> EXTRAS["cli"].install_command
        'pip install "cachery[cli]"'
        """
        return f'pip install "cachery[{self.name}]"'

    def missing_modules(self) -> list[str]:
        """Return those of ``modules`` that cannot be found, without importing any."""
        return [module for module in self.modules if not _is_found(module)]


EXTRAS = {
    extra.name: extra
    for extra in (
        Extra("cli", ("typer", "rich"), "the command line"),
        Extra("disk", ("lmdb",), "DiskCache"),
        Extra("msgpack", ("msgspec",), "the serializer msgpack"),
        Extra("redis", ("redis", "hiredis", "msgspec"), "RedisCache"),
        Extra("compression", ("zstandard", "lz4"), "compression with zstd and lz4"),
        Extra("crypto", ("cryptography",), "encryption"),
        Extra("watch", ("watchfiles",), "files that are watched"),
        Extra("warm", ("tenacity",), "cache warming with retries"),
        Extra("mcp", ("mcp",), "the MCP server"),
        Extra("prometheus", ("prometheus_client",), "numbers for Prometheus"),
        Extra("opentelemetry", ("opentelemetry",), "metrics and spans for OpenTelemetry"),
        Extra("fastapi", ("fastapi",), "caches of a FastAPI app, and their management"),
    )
}


def _is_found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
