"""The way to a module of another package, which may not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["import_extra"]


def import_extra(module: str, extra: str) -> Any:
    """Return ``module``. Raises ``ImportError``, saying how to install ``extra``, if it is missing.

    >>> import_extra("nowhere_to_be_found", "msgpack")
    Traceback (most recent call last):
        ...
    ImportError: nowhere_to_be_found is not installed: pip install "cachery[msgpack]"
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == package
        said = "is not installed" if is_missing else f"cannot be imported ({error})"
        raise ImportError(f'{package} {said}: pip install "cachery[{extra}]"', name=package) from error
