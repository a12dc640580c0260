"""What must begin anew in a forked child: of the threads of its parent, only the one that forked is there."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["reset_in_child"]


class Resettable(Protocol):
    """Something that counts on threads which a child does not have."""

    def reset_after_fork(self) -> None:
        """Forget them. Called in the child, on its only thread."""


_known: WeakSet[Resettable] = WeakSet()


def reset_in_child(owner: Resettable) -> None:
    """Have ``owner.reset_after_fork()`` called in every child forked from now on, as long as it lives."""
    _known.add(owner)


def _reset_all() -> None:
    for owner in list(_known):
        owner.reset_after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_reset_all)
