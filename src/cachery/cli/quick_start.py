"""The first steps with a cache, as statements that are run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cachery.manager import default_manager

__all__ = ["run_quick_start"]

_STATEMENTS = (
    "from cachery import get_cache",
    'cache = get_cache("quick start")',
    'cache.set("user:42", {"name": "Ada"}, ttl="5m")',
    'cache.get("user:42")',
    'cache.get("user:7", "nobody")',
    'cache.has("user:42")',
    'cache.delete("user:42")',
    'cache.has("user:42")',
    "cache.stats.text()",
)


def run_quick_start() -> Iterator[tuple[str, str]]:
    """Run each statement and give it with what it returned, as ``repr`` writes it, empty when that was nothing.

    >>> list(run_quick_start())[2]
    ('cache.set("user:42", {"name": "Ada"}, ttl="5m")', 'True')
    """
    names: dict[str, Any] = {}
    try:
        for statement in _STATEMENTS:
            result = _result_of(statement, names)
            yield statement, "" if result is None else repr(result)
    finally:
        default_manager().remove_cache("quick start")


def _result_of(statement: str, names: dict[str, Any]) -> Any:
    try:
        expression = compile(statement, "<quick start>", "eval")
    except SyntaxError:
        exec(statement, names)  # noqa: S102 - one of the statements above
        return None
    return eval(expression, names)  # noqa: S307 - one of the statements above
