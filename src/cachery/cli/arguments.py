"""The arguments and options that several commands share, and what the shell completes them to."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

__all__ = ["AsJson", "CacheArgument", "CacheOption", "Key", "NameOption", "policy_names", "which"]


def _cache_names(incomplete: str) -> list[str]:
    """Return the names in the settings file that begin so; what is wrong with it, a shell is not told."""
    from cachery.cli.chosen import manager_in_force  # noqa: PLC0415 - while a shell completes
    from cachery.exceptions import CacheValueError  # noqa: PLC0415

    try:
        plan = manager_in_force().plan
    except CacheValueError:
        return []
    return [] if plan is None else [name for name in plan.caches if name.startswith(incomplete)]


def policy_names(incomplete: str) -> list[str]:
    """Return the policies whose names begin so."""
    from cachery.policies import POLICIES  # noqa: PLC0415 - while a shell completes

    return [name for name in POLICIES if name.startswith(incomplete.lower())]


_CACHE = "A name of the settings, the directory of a cache, or the URL of a server."

CacheOption: TypeAlias = Annotated[
    str | None, typer.Option("--cache", "-c", metavar="CACHE", help=_CACHE, autocompletion=_cache_names)
]
CacheArgument: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="CACHE", help=_CACHE, show_default=False, autocompletion=_cache_names)
]
NameOption: TypeAlias = Annotated[str | None, typer.Option("--name", help="The name of the cache at a URL.")]
Key: TypeAlias = Annotated[str, typer.Argument(help="The key.", show_default=False)]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the same as JSON.")]


def which(argument: str | None, option: str | None) -> str:
    """Return the cache that was named, in one way or the other."""
    if argument is not None and option is not None:
        raise typer.BadParameter("name the cache once: as argument or with --cache")
    if "" in {argument, option}:
        raise typer.BadParameter("the name of a cache is empty here; without one it is 'default'")
    return argument or option or "default"
