"""When to try again what failed: exponential backoff with jitter. The one file that knows tenacity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from cachery.serializers.extras import import_extra
from cachery.warmers.config import WarmingConfig, as_seconds

__all__ = ["Sleep", "retrier"]

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds."""


def retrier(config: WarmingConfig, random: Callable[[], float]) -> Callable[..., Awaitable[None]] | None:
    """Return what tries again as ``config`` says; ``None`` when nothing is tried again.

    Called with ``attempt``, ``sleep`` and ``is_over``, it waits and awaits ``attempt()`` until that returns False,
    which is to say that nothing is left, or enough was tried, or it ``is_over``. What ``attempt`` raises it raises.

    Raises ``ImportError`` when the extra is missing.
    """
    if not config.retries:
        return None
    tenacity: Any = import_extra("tenacity", "warm")
    base, most = as_seconds(config.backoff_s), as_seconds(config.backoff_max_s)

    def wait(state: Any) -> float:
        return float(min(most, base * 2.0 ** (state.attempt_number - 1)) * (1.0 - random() / 2))

    async def retry(attempt: Callable[[], Awaitable[bool]], sleep: Sleep, is_over: Callable[[], bool]) -> None:
        is_first = True

        async def attempt_again() -> bool:
            nonlocal is_first
            if is_first:  # what failed was tried already
                is_first = False
                return True
            return await attempt()

        await tenacity.AsyncRetrying(
            sleep=sleep,
            wait=wait,
            stop=lambda state: state.attempt_number > config.retries or is_over(),
            retry=tenacity.retry_if_result(bool),
            retry_error_callback=lambda _: None,
            reraise=True,
        )(attempt_again)

    return retry
