"""Forks: what must come to rest before one, and what must begin anew in the child, where only one thread is."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["hold_for_forks", "reset_in_child"]


class Resettable(Protocol):
    """Something that counts on threads which a child does not have."""

    def reset_after_fork(self) -> None:
        """Forget them. Called in the child, on its only thread."""


class Holdable(Protocol):
    """Something that no thread may be in the midst of when the process forks."""

    def hold(self) -> None:
        """Wait until no thread is, and let none begin."""

    def resume(self) -> None:
        """Let them begin again. Called in the parent."""


_holdable: WeakSet[Holdable] = WeakSet()
_known: WeakSet[Resettable] = WeakSet()


def reset_in_child(owner: Resettable) -> None:
    """Have ``owner.reset_after_fork()`` called in every child forked from now on, as long as it lives."""
    _known.add(owner)


def hold_for_forks(owner: Holdable) -> None:
    """Have ``owner`` hold before every fork from now on, and resume after it, as long as it lives."""
    _holdable.add(owner)


def _hold_all() -> None:
    for owner in list(_holdable):
        owner.hold()


def _resume_all() -> None:
    for owner in list(_holdable):
        owner.resume()


def _reset_all() -> None:
    for owner in list(_known):
        owner.reset_after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(before=_hold_all, after_in_parent=_resume_all, after_in_child=_reset_all)
