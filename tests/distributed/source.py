"""The source of all values: a server of its own, under no fault, that numbers changes over all keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

BUMP = """
local version = redis.call('INCR', 'version')
for i = 1, #ARGV do redis.call('HSET', 'versions', ARGV[i], version) end
return version
"""


class Source:
    """Knows the version of each key."""

    def __init__(self, port: int) -> None:
        self._client = redis.Redis(port=port)
        self._bump: Any = self._client.register_script(BUMP)

    def bump(self, keys: Sequence[str]) -> int:
        """Change ``keys``; return their version from now on, greater than any before."""
        return int(self._bump(args=keys))

    def version(self, key: str) -> int:
        """Return the version of ``key`` now."""
        found: Any = self._client.hget("versions", key)
        return 0 if found is None else int(found)
