"""The example of the LLM starter, with nothing but its import changed."""

# ruff: noqa: INP001, T201
import asyncio

from cachery.ai import AIResponseCache, InMemoryCache


async def main() -> None:
    """Keep an answer, and get it."""
    # Redis-based cache for production
    cache = AIResponseCache(redis_url="redis://localhost:6379")
    await cache.connect()

    # In-memory cache for development/testing
    memory_cache = InMemoryCache(default_ttl=3600, max_size=1000)

    # Cache an AI response
    await cache.cache_response(
        text="Document to process",
        operation="summarize",
        options={"max_length": 100},
        response={"summary": "Brief summary"},
    )

    # Get cached response
    result = await cache.get_cached_response(
        text="Document to process", operation="summarize", options={"max_length": 100}
    )
    print(result["summary"], result["cache_hit"], memory_cache.size())
    await cache.close()


if __name__ == "__main__":
    asyncio.run(main())
