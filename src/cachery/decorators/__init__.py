"""``cached``: functions, coroutine functions, methods and generators that keep what they return, by their arguments."""

from __future__ import annotations

from cachery.decorators.decorate import cached_in, cached_in_loop
from cachery.decorators.types import CachedFunction

__all__ = ["CachedFunction", "cached_in", "cached_in_loop"]
