"""The way to the servers: the only room that knows redis-py and hiredis."""

from __future__ import annotations

try:
    import hiredis  # noqa: F401 - whether it is there is all that is asked
    import redis  # noqa: F401
except ImportError as error:
    raise ImportError(
        f'RedisCache needs the packages redis and hiredis ({error}): pip install "cachery[redis]"'
    ) from error
