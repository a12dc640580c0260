"""The first steps with a cache, as statements that are run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cachery.manager import default_manager

__all__ = ["run_quick_start"]

_STATEMENTS = (
    "from cachery import CacheManager, get_cache",
    'cache = get_cache(name="llm_responses", backend="in_memory")',
    'cache.set("prompt_hash_123", {"response": "Hello world"}, ttl=3600)',
    'cache.get("prompt_hash_123")',
    'cache.has("prompt_hash_123")',
    'cache.get("prompt_hash_456", "not asked yet")',
    'cache.delete("prompt_hash_123")',
    'cache.has("prompt_hash_123")',
    "stats = cache.stats()",
    'f"Hit rate: {stats.hit_rate:.2%}"',
    "stats.text()",
    "manager = CacheManager()",
    'build_cache = manager.get_cache("build_artifacts", backend="in_memory")',
    "manager.summary()",
)


def run_quick_start() -> Iterator[tuple[str, str]]:
    """Run each statement and give it with what it returned, as ``repr`` writes it, empty when that was nothing.

    >>> list(run_quick_start())[2]
    ('cache.set("prompt_hash_123", {"response": "Hello world"}, ttl=3600)', 'True')
    """
    names: dict[str, Any] = {}
    try:
        for statement in _STATEMENTS:
            result = _result_of(statement, names)
            yield statement, "" if result is None else repr(result)
    finally:
        default_manager().remove_cache("llm_responses")


def _result_of(statement: str, names: dict[str, Any]) -> Any:
    try:
        expression = compile(statement, "<quick start>", "eval")
    except SyntaxError:
        exec(statement, names)  # noqa: S102 - one of the statements above
        return None
    return eval(expression, names)  # noqa: S307 - one of the statements above
