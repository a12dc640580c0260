"""The commands and their options. A command loads what it runs when it is called, so that the others start fast."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cachery import __version__
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
