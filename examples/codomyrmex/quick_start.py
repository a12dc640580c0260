"""First steps: a named cache, its verbs, its hit rate, and a manager for several caches."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: F401, I001, INP001, T201

from cachery import get_cache, Cache, CacheManager, CacheStats

# Get a cache instance
cache = get_cache(name="llm_responses", backend="in_memory")

# Store and retrieve data
cache.set("prompt_hash_123", {"response": "Hello world"}, ttl=3600)
result = cache.get("prompt_hash_123")

# Check if key exists
if cache.has("prompt_hash_123"):
    data = cache.get("prompt_hash_123")

# Delete entry
cache.delete("prompt_hash_123")

# Get cache statistics
stats = cache.stats()
print(f"Hit rate: {stats.hit_rate:.2%}")

# Use cache manager for multiple caches
manager = CacheManager()
code_cache = manager.get_cache("code_analysis", backend="file_based")
build_cache = manager.get_cache("build_artifacts", backend="in_memory")
