"""Caches as tools for agents: plain functions, whose arguments and answers JSON can carry.

They work on the caches of ``cachery.get_cache``. Each answers with a dictionary that has a ``status``, also when it
cannot do what it is asked for (``"error"``); none raises for what a caller says.

>>> cache_set("greeting", {"text": "hello"}, ttl=60, cache_name="docs")["status"]
'stored'
>>> cache_get("greeting", cache_name="docs")["value"]
{'text': 'hello'}

An MCP server with these tools is in ``cachery.mcp``; nothing here needs an extra.
"""

from __future__ import annotations

from cachery.mcp_tools.metadata import TOOLS, Tool
from cachery.mcp_tools.tools import (
    cache_delete,
    cache_get,
    cache_invalidate_by_tag,
    cache_set,
    cache_stats,
)
from cachery.mcp_tools.universal import call_module_function
from cachery.mcp_tools.values import MOST_BYTES

__all__ = [
    "MOST_BYTES",
    "TOOLS",
    "Tool",
    "cache_delete",
    "cache_get",
    "cache_invalidate_by_tag",
    "cache_set",
    "cache_stats",
    "call_module_function",
]
