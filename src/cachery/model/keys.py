"""The type of a key, by a name that the compiler does not take for its own ``str``.

Where a compiled method annotates an argument as ``str`` or ``int``, the compiled code refuses other types by itself, in
words of its own. Ours are to be refused by the checks that say what to write instead.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Count", "Key", "Tags"]

Key: TypeAlias = str
Count: TypeAlias = int
Tags: TypeAlias = tuple[str, ...]
