"""A cache asked for through the universal proxy tool, as an agent would, and used through the tools."""

# The call as codomyrmex gives it: JSON, which an MCP client sends and a dispatcher hands to the tool.
# ruff: noqa: INP001, T201

import json

from cachery import mcp_tools

call = json.loads("""
{
  "tool": "call_module_function",
  "arguments": {
    "module": "cache",
    "function": "get_cache",
    "kwargs": {"name": "llm_responses", "backend": "in_memory"}
  }
}
""")
answer = mcp_tools.TOOLS[call["tool"]].call(call["arguments"])
print(answer["result"])

mcp_tools.cache_set("prompt:1", {"response": "Hello world"}, ttl=600, cache_name="llm_responses")
print(mcp_tools.cache_get("prompt:1", cache_name="llm_responses")["value"])
