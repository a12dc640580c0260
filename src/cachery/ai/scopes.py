"""Whose answers these are: the scope of a request, which is part of its key.

Answers of one scope never reach another, for no key of the one can be a key of the other. A cache that others share
does not guess: it is told the scope of each request, or ``"public"``, said aloud.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cachery.exceptions import CacheValueError

__all__ = ["Scope", "ScopePolicy", "checked_scope"]

Scope: TypeAlias = str | Callable[[], str]
"""A tenant, a user, or ``"public"``; or a function that knows whose request this is, a context variable's ``get``."""


class ScopePolicy:
    """Decides the scope of each request. ``scope``: that of all which name none; ``is_shared``: whether others share.

    Raises ``CacheValueError`` for what is no scope.

    >>> ScopePolicy("public", is_shared=True).of("tenant:42"), ScopePolicy(None, is_shared=False).of(None)
    ('tenant:42', 'public')
    """

    __slots__ = ("_is_shared", "_scope")

    def __init__(self, scope: Scope | None, *, is_shared: bool) -> None:
        self._scope = scope if scope is None or callable(scope) else checked_scope(scope)
        self._is_shared = is_shared

    def of(self, scope: str | None) -> str:
        """Return the scope of a request that was asked with ``scope``.

        Raises ``CacheValueError`` where nobody has said one and others share the cache.
        """
        chosen = self.if_any(scope)
        if chosen is None:
            raise CacheValueError(
                "whose answers are these? A cache on Redis is shared: write scope= with the tenant or user, "
                'for one call or for the whole cache, or scope="public" if all may see them'
            )
        return chosen

    def if_any(self, scope: str | None) -> str | None:
        """Return the scope of a request that was asked with ``scope``, ``None`` if nobody said one and it is shared.

        Raises ``CacheValueError`` for what is no scope.
        """
        if scope is not None:
            return checked_scope(scope)
        if self._scope is None:
            return None if self._is_shared else "public"
        return self._scope if isinstance(self._scope, str) else _found(self._scope)


def checked_scope(scope: object) -> str:
    """Return ``scope``; raise ``CacheValueError`` for what is none."""
    if not isinstance(scope, str) or not scope:
        what = "an empty one" if scope == "" else type(scope).__name__
        raise CacheValueError(f"a scope is text, and not empty, not {what}")
    return scope


def _found(scope: Callable[[], str]) -> str:
    try:
        return checked_scope(scope())
    except LookupError as error:  # a context variable that was not set
        raise CacheValueError("nobody has set the context variable that knows the scope") from error
