"""A cache in files: what took long to compute is there in the next run."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: F401, I001, INP001

from pathlib import Path
from cachery import CacheManager

mgr = CacheManager()
cache = mgr.get_cache("analysis_results", backend="file_based")

# Cache a static analysis result that took 30 seconds to compute
cache.set("analysis:src/codomyrmex/agents", {
    "issues": 12,
    "complexity_score": 7.3,
    "timestamp": "2026-02-24T10:30:00Z",
}, ttl=3600)  # 1-hour TTL

# On next run, check cache before re-running analysis
cached = cache.get("analysis:src/codomyrmex/agents")
if cached is None:
    # Cache miss or expired — run analysis again
    pass
