"""Loading through a cache: once, fenced, stale where that is allowed. Knows no driver, no thread and no event loop."""
