"""The commands and their options. A command loads what it runs when it is called, so that the others start fast."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cachery import __version__
from cachery.cli.arguments import AsJson, CacheArgument, CacheOption, Key, NameOption, policy_names, which
from cachery.cli.mcp_command import mcp
from cachery.cli.printing import print_json
from cachery.exceptions import CacheError, CacheKeyError, CacheValueError

__all__ = ["app"]

_NOT_SO, _USAGE_ERROR = 1, 2
_AS_JSON = "cachery.cli.as_json"


class _Commands(TyperGroup):
    """Ends a command that raises with one line: status 2 for what was asked or is set wrongly, 1 for the rest.

    Who asked for JSON is told so too, on standard output.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_AS_JSON] = "--json" in args[: args.index("--") if "--" in args else None]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (CacheValueError, CacheKeyError) as error:
            raise _ended(error, _USAGE_ERROR, as_json=ctx.meta[_AS_JSON]) from error
        except CacheError as error:
            raise _ended(error, _NOT_SO, as_json=ctx.meta[_AS_JSON]) from error
        except ImportError as error:
            if "pip install" not in str(error):
                raise
            raise _ended(error, _USAGE_ERROR, as_json=ctx.meta[_AS_JSON]) from error


def _ended(error: Exception, status: int, *, as_json: bool) -> typer.Exit:
    told = " ".join(str(error).split())
    typer.secho(f"cachery: {told}", fg="red", err=True)
    if as_json:
        print_json({"error": told})
    return typer.Exit(status)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _end(*, is_fine: bool) -> None:
    """End with status 1 unless all ``is_fine``."""
    if not is_fine:
        raise typer.Exit(_NOT_SO)


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
    """Look into caches that processes share, change them, and see what is installed.

    Status: 0 fine; 1 not there, or something is wrong with a cache; 2 wrong use or settings.
    """
    del version


@app.command(rich_help_panel="One entry")
def get(
    key: Key,
    *,
    cache: CacheOption = None,
    name: NameOption = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print text and bytes as they are.")] = False,
    json: AsJson = False,
) -> None:
    """Print the value of a key: as JSON where it can be that, else as Python writes it."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.entries import show_value  # noqa: PLC0415

    _end(is_fine=show_value(choose(which(None, cache), name), key, as_json=json, is_raw=raw))


@app.command("set", rich_help_panel="One entry")
def set_(  # noqa: PLR0913 - what an entry is, by name
    key: Key,
    value: Annotated[str, typer.Argument(help="JSON, or else text; - reads standard input.", show_default=False)],
    *,
    ttl: Annotated[str | None, typer.Option("--ttl", help="How long it lives: 90s, 5m, 1h30m, forever.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag of it; may be repeated.")] = None,
    text: Annotated[bool, typer.Option("--text", help="VALUE is text, whatever it looks like.")] = False,
    cache: CacheOption = None,
    name: NameOption = None,
    json: AsJson = False,
) -> None:
    """Store a value under a key."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.entries import set_value  # noqa: PLC0415
    from cachery.cli.values import read_value  # noqa: PLC0415

    chosen = choose(which(None, cache), name)
    _end(is_fine=set_value(chosen, key, read_value(value, is_text=text), ttl=ttl, tags=tag or (), as_json=json))


@app.command(rich_help_panel="One entry")
def delete(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="The keys.", show_default=False)],
    *,
    cache: CacheOption = None,
    name: NameOption = None,
    json: AsJson = False,
) -> None:
    """Remove keys; exit with status 1 when one of them was not there."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.entries import delete_keys  # noqa: PLC0415

    _end(is_fine=delete_keys(choose(which(None, cache), name), keys, as_json=json))


@app.command(rich_help_panel="One entry")
def why(key: Key, *, cache: CacheOption = None, name: NameOption = None, json: AsJson = False) -> None:
    """Show what is known of a key: fresh or stale, its time left, its tags; exit with status 1 when it is no hit."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.why import show_entry  # noqa: PLC0415

    _end(is_fine=show_entry(choose(which(None, cache), name), key, as_json=json))


@app.command(rich_help_panel="A whole cache")
def keys(
    pattern: Annotated[str, typer.Argument(help="A glob: user:*")] = "*",
    *,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The most keys to print.")] = None,
    cache: CacheOption = None,
    name: NameOption = None,
    json: AsJson = False,
) -> None:
    """Print the live keys, a line each."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.entries import show_keys  # noqa: PLC0415

    show_keys(choose(which(None, cache), name), pattern, limit=limit, as_json=json)


@app.command(rich_help_panel="A whole cache")
def stats(
    place: CacheArgument = None,
    *,
    cache: CacheOption = None,
    name: NameOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again, until interrupted.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between, with --watch.")] = 2.0,
    json: AsJson = False,
) -> None:
    """Show how much is in a cache, or where none is named in each of the settings file."""
    from cachery.cli.counts import show_counts, watch_counts  # noqa: PLC0415

    said = None if place is None and cache is None else which(place, cache)
    if not watch:
        _end(is_fine=show_counts(said, name, as_json=json))
        return
    from threading import Event  # noqa: PLC0415

    with suppress(KeyboardInterrupt):
        watch_counts(said, name, as_json=json, pause=lambda: Event().wait(every))


@app.command(rich_help_panel="A whole cache")
def inspect(
    place: CacheArgument = None, *, cache: CacheOption = None, name: NameOption = None, json: AsJson = False
) -> None:
    """Show what is in a cache: how many entries, how large, the largest of them."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.stores import show_inventory  # noqa: PLC0415

    show_inventory(choose(which(place, cache), name), as_json=json)


@app.command(rich_help_panel="A whole cache")
def verify(
    place: CacheArgument = None, *, cache: CacheOption = None, name: NameOption = None, json: AsJson = False
) -> None:
    """Check every record of a cache, its signature too; exit with status 1 when something is wrong."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.stores import show_verification  # noqa: PLC0415

    _end(is_fine=show_verification(choose(which(place, cache), name), as_json=json))


@app.command(rich_help_panel="A whole cache")
def purge(  # noqa: PLR0913 - what to remove, by name
    place: CacheArgument = None,
    *,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Remove what carries this tag; may be repeated.")
    ] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Remove the keys that match this glob.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Remove what is over, and what a crash left.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, only say what would be.")] = False,
    cache: CacheOption = None,
    name: NameOption = None,
    json: AsJson = False,
) -> None:
    """Remove entries from a cache, also while it is in use."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.stores import purge as remove  # noqa: PLC0415

    if not tag and pattern is None and not expired:
        raise typer.BadParameter("say what to remove: --tag, --pattern or --expired")
    chosen = choose(which(place, cache), name)
    remove(chosen, tag or [], pattern, expired=expired, is_trial=dry_run, as_json=json)


@app.command(rich_help_panel="A whole cache")
def warm(  # noqa: PLR0913 - how to warm, by name
    loader: Annotated[str, typer.Argument(help="module:function, called with a key each.", show_default=False)],
    source: Annotated[
        str, typer.Argument(metavar="[KEYS]", help="A file of keys, a line each; - reads standard input.")
    ] = "-",
    *,
    ttl: Annotated[str | None, typer.Option("--ttl", help="How long what is stored lives.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag of it; may be repeated.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Threads.")] = 4,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Keys that a thread takes at a time.")] = 100,
    retries: Annotated[int, typer.Option("--retries", min=0, help="How often a key that failed is tried again.")] = 0,
    timeout: Annotated[str, typer.Option("--timeout", help="The longest it may take.")] = "forever",
    cache: CacheOption = None,
    name: NameOption = None,
    json: AsJson = False,
) -> None:
    """Fill a cache with what a function returns for keys; exit with status 1 when one failed."""
    from cachery.cli.chosen import choose  # noqa: PLC0415
    from cachery.cli.warm import Manner, find_loader, read_keys, warm_cache  # noqa: PLC0415

    chosen = choose(which(None, cache), name)
    manner = Manner(workers, batch_size, retries, timeout, ttl, tuple(tag or ()))
    _end(is_fine=warm_cache(chosen, find_loader(loader), read_keys(source), manner, as_json=json))


@app.command(rich_help_panel="Which cache to have")
def simulate(  # noqa: PLR0913 - an option each
    trace: Annotated[str, typer.Argument(help="A file of keys in their order; - reads standard input.")],
    *,
    size: Annotated[
        list[str] | None,
        typer.Option("--size", help="Entries, or a share of the keys: 5%; may be repeated. Bytes with --bytes."),
    ] = None,
    is_in_bytes: Annotated[
        bool, typer.Option("--bytes", help="Sizes are in bytes: 64MiB, or a share of the bytes of all keys.")
    ] = False,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="A policy to try; may be repeated. All without.", autocompletion=policy_names),
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Of a table, the columns of keys and sizes: id,bytes or 2,3.")
    ] = None,
    plot: Annotated[str | None, typer.Option("--plot", metavar="FILE.svg", help="Draw the curves.")] = None,
    json: AsJson = False,
) -> None:
    """Replay a trace through every policy beside the optimum, and recommend a policy and a size."""
    from cachery.cli.simulate import show_simulation  # noqa: PLC0415

    show_simulation(
        trace,
        sizes=size or (),
        unit="bytes" if is_in_bytes else "entries",
        policies=policy or (),
        columns=columns,
        plot=plot,
        as_json=json,
    )


@app.command(rich_help_panel="About cachery")
def doctor(*, json: AsJson = False) -> None:
    """Show what is installed and which settings are in force; exit with status 1 when one cannot be read."""
    from cachery.cli.doctor import show_diagnosis  # noqa: PLC0415

    _end(is_fine=show_diagnosis(as_json=json))


@app.command(rich_help_panel="About cachery")
def demo(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Replay only the beginning of the traces.")] = False,
) -> None:
    """Show the cache at work: first steps, hit ratios on real traces beside the optimum, and what a hit costs."""
    from cachery.cli.demo import show_demo  # noqa: PLC0415

    show_demo(is_quick=quick)


app.command(rich_help_panel="About cachery")(mcp)
