"""Replies of models: whether one is complete, so that it may be kept, and what it took.

Known are the forms of OpenAI (chat completions, responses, embeddings) and Anthropic (messages), which others speak
too. Of any other form nobody knows whether it is complete, so it is not kept unless the caller can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cachery.ai.calling import called, plain_reply

__all__ = ["UNKNOWN", "may_be_kept", "tokens_of", "why_incomplete"]

UNKNOWN = "its form is not known"

_CHAT_ENDS = {"stop", "tool_calls", "function_call"}
_MESSAGE_ENDS = {"end_turn", "stop_sequence", "tool_use"}
_READ = ("prompt_tokens", "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_WRITTEN = ("completion_tokens", "output_tokens")


def why_incomplete(reply: Any) -> str | None:
    """Return why ``reply`` is not to be kept; ``None`` for one that is complete.

    >>> why_incomplete({"choices": [{"finish_reason": "length", "message": {"content": "It was a dark and"}}]})
    "finish_reason is 'length'"
    >>> why_incomplete({"type": "message", "content": [], "stop_reason": "end_turn"})
    """
    if hasattr(reply, "model_dump"):
        reply = plain_reply(reply)
    if not isinstance(reply, dict):
        return UNKNOWN
    if reply.get("error") is not None or reply.get("type") == "error":
        return "it is an error"
    for is_of, judge in _FORMS:
        if is_of(reply):
            return judge(reply)
    return UNKNOWN


async def may_be_kept(reply: Any, is_complete: Callable[[Any], Any] | None) -> bool:
    """Tell whether ``reply`` may be kept: ``is_complete`` decides, or else a known form; any other may be."""
    if is_complete is not None:
        return bool(await called(lambda: is_complete(reply)))
    return why_incomplete(reply) in {None, UNKNOWN}


def tokens_of(reply: Any) -> tuple[int, int]:
    """Return the tokens that a reply says were read and written, 0 where it says nothing.

    >>> tokens_of({"usage": {"prompt_tokens": 12, "completion_tokens": 3}})
    (12, 3)
    """
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(usage, dict):
        return 0, 0
    return _sum(usage, _READ), _sum(usage, _WRITTEN)


def _sum(usage: dict[str, Any], names: tuple[str, ...]) -> int:
    numbers = [usage.get(name) for name in names]
    return sum(number for number in numbers if type(number) is int and number > 0)


def _of_chat(reply: dict[str, Any]) -> str | None:
    choices = _dicts(reply.get("choices"))
    if not choices or len(choices) < len(reply["choices"]):
        return "it has no choices, or empty ones"
    for choice in choices:
        end = choice.get("finish_reason")
        if not _is_in(end, _CHAT_ENDS):
            return f"finish_reason is {end!r}"
        if choice.get("error") is not None:
            return "it is an error"
        message = choice.get("message")
        if isinstance(message, dict) and message.get("refusal"):
            return "the model refused"
    return None


def _of_response(reply: dict[str, Any]) -> str | None:
    if reply.get("status") != "completed":
        return f"status is {reply.get('status')!r}"
    if reply.get("incomplete_details") is not None:
        return "it is incomplete"
    items = _dicts(reply.get("output"))
    return "it has no output" if not items else next((why for item in items if (why := _of_item(item))), None)


def _of_item(item: dict[str, Any]) -> str | None:
    if item.get("status") not in (None, "completed") or item.get("error") is not None:
        return f"{item.get('type')} failed or was cut off"
    is_refused = any(part.get("type") == "refusal" for part in _dicts(item.get("content")))
    return "the model refused" if is_refused else None


def _of_message(reply: dict[str, Any]) -> str | None:
    if not _is_in(reply.get("stop_reason"), _MESSAGE_ENDS):
        return f"stop_reason is {reply.get('stop_reason')!r}"
    return "a tool failed" if any(map(_has_failed, _dicts(reply.get("content")))) else None


def _has_failed(block: dict[str, Any]) -> bool:
    """Tell whether a block of a message is the result of a tool that failed."""
    if not str(block.get("type", "")).endswith("tool_result"):
        return False
    content = block.get("content")
    kind = content.get("type", "") if isinstance(content, dict) else ""
    return bool(block.get("is_error")) or str(kind).endswith("_error")


def _of_embeddings(reply: dict[str, Any]) -> str | None:
    rows = _dicts(reply.get("data"))
    is_whole = rows and len(rows) == len(reply["data"]) and all(row.get("embedding") for row in rows)
    return None if is_whole else "an embedding is missing"


def _is_in(end: Any, ends: set[str]) -> bool:
    return isinstance(end, str) and end in ends


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_Reply = dict[str, Any]
_FORMS: tuple[tuple[Callable[[_Reply], bool], Callable[[_Reply], str | None]], ...] = (
    (lambda reply: "choices" in reply, _of_chat),
    (lambda reply: "output" in reply and "status" in reply, _of_response),
    (lambda reply: "stop_reason" in reply and "content" in reply, _of_message),
    (lambda reply: reply.get("object") == "list" and "data" in reply, _of_embeddings),
)
