"""Namespaces: two parts of one cache whose equal keys do not meet, and one part cleared without the other."""

# The example as codomyrmex gives it, with only the import changed.
# fmt: off
# ruff: noqa: I001, INP001

from cachery import get_cache, NamespacedCache

base_cache = get_cache("default", backend="in_memory")

llm_cache = NamespacedCache(base_cache, namespace="llm")
rag_cache = NamespacedCache(base_cache, namespace="rag")

# These keys are independent — stored as "llm:query" and "rag:query"
llm_cache.set("query", {"model": "claude-3-opus"})
rag_cache.set("query", {"chunks": 5, "similarity": 0.87})

# Clear only one namespace without affecting the other
llm_cache.clear()
