"""Names that load their module on first use (PEP 562), so that importing the package costs what is used of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

__all__ = ["lazy_exports"]


def lazy_exports(
    package: str,
    places: Mapping[str, str],
    names_of_all: Sequence[str] = (),
    behind: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for ``package``.

    ``places`` maps a name to the module that it is, or to ``module:name``. ``names_of_all``: of a package that has no
    ``__all__`` itself, those that it would have: asked for it, as ``from package import *`` does, it answers with those
    that can be had. ``behind``: for a name the modules of other packages that it needs.
    """

    def load(name: str) -> Any:
        if name == "__all__" and names_of_all:
            return [each for each in names_of_all if all(map(_is_found, behind.get(each, ())))]
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = places[name].partition(":")
        found = import_module(module)
        value = getattr(found, attribute) if attribute else found
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return load, names


def _is_found(module: str) -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - for those who ask only

    return module in sys.modules or find_spec(module) is not None
