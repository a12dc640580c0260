"""A bounded cache in memory: a default TTL for all entries, a TTL of its own for one, and a hit that saves a call."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: INP001, T201

from cachery import CacheManager

mgr = CacheManager(default_ttl=300)  # 5-minute default TTL
cache = mgr.get_cache("llm_responses", backend="in_memory")

# Store an LLM response to avoid redundant API calls
cache.set("prompt:summarize_module:cache", {
    "response": "The cache module provides multi-backend caching...",
    "model": "claude-3-opus",
    "tokens_used": 142,
}, ttl=600)  # 10-minute TTL for this entry

# Retrieve on subsequent requests — returns None if expired
result = cache.get("prompt:summarize_module:cache")
if result is not None:
    print(f"Cache hit — saved {result['tokens_used']} tokens")
