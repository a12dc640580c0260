"""``python -m cachery``: the command line."""

from __future__ import annotations

from cachery.cli import main

if __name__ == "__main__":
    main()
