"""Shows the examples and literal blocks of docstrings as code: Markdown would take ``>>>`` for a quotation."""

# ruff: noqa: INP001 - loaded by its path, as mkdocs.yml says

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["DoctestFences", "fence_examples"]

_EXAMPLE = re.compile(r"^>>> .*\n(?:.+\n)*", re.MULTILINE)


class DoctestFences(griffe.Extension):
    """Rewrites the docstring of each object that is loaded."""

    def on_object(self, *, obj: griffe.Object, **_rest: Any) -> None:
        """Fence the examples of ``obj``."""
        if obj.docstring is not None:
            obj.docstring.value = fence_examples(obj.docstring.value)


def fence_examples(text: str) -> str:
    """Return ``text`` with each example, which ends at an empty line, in a fence of its own, and without ``::``."""
    fenced = _EXAMPLE.sub(r"```pycon\n\g<0>```\n", text + "\n")
    return re.sub(r"^::$", "", fenced, flags=re.MULTILINE).replace("::\n", ":\n")
