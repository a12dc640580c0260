"""The commands and their options. A command loads what it runs when it is called, so that the others start fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cachery import __version__
from cachery.cli.mcp_command import mcp
from cachery.exceptions import CacheError

__all__ = ["app"]


class _Commands(TyperGroup):
    """Ends a command that raises a ``CacheError`` with one line and status 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CacheError as error:
            typer.secho(f"cachery: {' '.join(str(error).split())}", fg="red", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - typer passes the option's value
    if is_asked:
        typer.echo(f"cachery {__version__}")
        raise typer.Exit


@app.callback()
def cachery(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """See a cache at work, and what is installed of it."""
    del version


@app.command()
def demo(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Replay only the beginning of the traces.")] = False,
) -> None:
    """Show the cache at work: first steps, hit ratios on real traces beside the optimum, and what a hit costs."""
    from cachery.cli.demo import show_demo  # noqa: PLC0415

    show_demo(is_quick=quick)


@app.command()
def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.")] = False,
) -> None:
    """Show what is installed and which settings are in force; exit with status 1 when one cannot be read."""
    from cachery.cli.doctor import show_diagnosis  # noqa: PLC0415

    if not show_diagnosis(as_json=json):
        raise typer.Exit(1)


_Path = Annotated[Path, typer.Argument(help="The directory of a cache.", show_default=False)]
_Json = Annotated[bool, typer.Option("--json", help="Print the same as JSON.")]


@app.command()
def inspect(path: _Path, *, json: _Json = False) -> None:
    """Show what is in a cache on disk: how many entries, how large, the largest of them."""
    from cachery.cli.stores import show_inventory  # noqa: PLC0415

    show_inventory(path, as_json=json)


@app.command()
def verify(path: _Path, *, json: _Json = False) -> None:
    """Check every record of a cache on disk, its signature too; exit with status 1 when something is wrong."""
    from cachery.cli.stores import show_verification  # noqa: PLC0415

    if not show_verification(path, as_json=json):
        raise typer.Exit(1)


@app.command()
def purge(
    path: _Path,
    *,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Remove what carries this tag; may be repeated.")
    ] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Remove the keys that match this glob.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Remove what is over, and what a crash left.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, only say what would be.")] = False,
) -> None:
    """Remove entries from a cache on disk, also while it is in use."""
    from cachery.cli.stores import purge as remove  # noqa: PLC0415

    if not tag and pattern is None and not expired:
        raise typer.BadParameter("say what to remove: --tag, --pattern or --expired")
    remove(path, tag or [], pattern, expired=expired, is_trial=dry_run)


app.command()(mcp)
