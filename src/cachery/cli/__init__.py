"""The command line: ``main`` is what ``cachery`` and ``python -m cachery`` run."""

from __future__ import annotations

import sys

from cachery.cli.extras import EXTRAS

__all__ = ["main"]

_USAGE_ERROR = 2


def main() -> None:
    """Run the command line. Without its extra, say on stderr how to install that and exit with status 2."""
    extra = EXTRAS["cli"]
    if missing := extra.missing_modules():
        sys.stderr.write(f"cachery: the command line needs {' and '.join(missing)}: {extra.install_command}\n")
        sys.exit(_USAGE_ERROR)
    from cachery.cli.app import app  # noqa: PLC0415 - needs what was just looked for

    app()
