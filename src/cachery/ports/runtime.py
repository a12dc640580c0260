"""What differs between threads and an event loop, for an engine that is written once.

In blocking code no port ever suspends, so that one ``send(None)`` carries a call of the engine through; under an event
loop the same coroutine is awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from cachery.model.outcome import Outcome

__all__ = ["Runtime", "Signal"]


class Signal(Protocol):
    """Something that happens once. ``home`` is the event loop that brings it about, ``None`` when that is a thread."""

    home: object

    @property
    def is_over(self) -> bool:
        """Whether it has happened."""

    def attend(self, wake: Callable[[], object]) -> bool:
        """Have ``wake`` called, on whatever thread, when it happens; False when it has happened already."""

    def desert(self, wake: Callable[[], object]) -> None:
        """Forget ``wake``."""


class Runtime(Protocol):
    """How to run, wait and go on in the background."""

    @property
    def is_inline(self) -> bool:
        """Whether a load may run in the call of the one who asks: nobody can cancel a thread's call."""

    async def attempt(self, loader: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
        """Call ``loader`` and return what became of it, whatever it raises."""

    def spawn(self, work: Coroutine[Any, Any, object], end: Signal) -> None:
        """Run ``work``, which brings about ``end``, in the background, in the context of the caller."""

    def cancel(self, end: Signal) -> None:
        """Cancel, if that can be, the work that is to bring about ``end``. Called on any thread."""

    def release(self, end: Signal) -> None:
        """Forget the work that has brought about ``end``."""

    async def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    async def wait(self, signal: Signal, timeout: float | None) -> bool:
        """Wait for ``signal``, at most ``timeout`` seconds; True when it happened."""

    async def drain(self, timeout: float) -> bool:
        """Let what goes on in the background end, at most ``timeout`` seconds; True when it has."""
