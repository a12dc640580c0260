"""Warming: configurations are in the cache before anybody asks for them, and are loaded anew every five minutes."""

# The example as codomyrmex gives it, with only the import changed, and what it takes as given made before.
# fmt: off
# ruff: noqa: ANN201, D103, E402, I001, INP001, PLW0108, T201

my_cache_dict = {}


def load_config_from_disk(key: str):
    return {"name": key}


from cachery.warmers import (
    CacheWarmer,
    StaticKeyProvider,
    CallableValueLoader,
    WarmingConfig,
    WarmingStrategy,
)

# Define what to warm and how to load values
keys = StaticKeyProvider(["config:global", "config:agents", "config:llm"])
loader = CallableValueLoader(lambda k: load_config_from_disk(k))

warmer = CacheWarmer(
    cache=my_cache_dict,
    key_provider=keys,
    value_loader=loader,
    config=WarmingConfig(
        strategy=WarmingStrategy.EAGER,
        batch_size=50,
        max_workers=4,
        retry_on_failure=True,
        max_retries=3,
    ),
)

# Warm synchronously and inspect results
stats = warmer.warm()
print(f"Warmed {stats.keys_warmed} keys in {stats.total_time_ms:.1f}ms")
print(f"Success rate: {stats.success_rate:.1%}")

# Or start scheduled warming (re-warms every 5 minutes)
warmer.start_scheduler()
