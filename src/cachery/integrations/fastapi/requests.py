"""What a request to invalidate says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from cachery.exceptions import CacheValueError

__all__ = ["Invalidation"]

_LONGEST = 1000


class Invalidation(BaseModel):
    """What is to be invalidated: one of the first five. A parameter that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    pattern: str = Field("", max_length=_LONGEST, description="a glob; of answers, one that stands somewhere in keys")
    operation: str = Field("", max_length=_LONGEST, description="the answers of an operation, such as summarize")
    model: str = Field("", max_length=_LONGEST, description="the replies of a model")
    scope: str = Field("", max_length=_LONGEST, description="the answers of a scope, such as a tenant")
    all: bool = Field(default=False, description="true: all entries")
    operation_context: str = Field("api_endpoint", max_length=_LONGEST, description="who invalidates, for the reports")

    def chosen(self) -> tuple[str, str]:
        """Return what is said, and its value. Raises ``CacheValueError`` unless it is exactly one thing."""
        by = {name: getattr(self, name) for name in ("pattern", "operation", "model", "scope")}
        given = [(name, value) for name, value in by.items() if value]
        if self.all:
            given.append(("all", "*"))
        if len(given) != 1:
            said = " and ".join(name for name, _ in given) or "nothing"
            raise CacheValueError(f"say one of pattern, operation, model, scope and all=true, not {said}")
        return given[0]
