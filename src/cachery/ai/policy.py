"""What a cache of answers decides by the text and the operation: how long an answer lives, and where it is kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cachery.ai.keys import checked_operation
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration, seconds

__all__ = ["OPERATION_TTLS", "TEXT_SIZE_TIERS", "AnswerPolicy"]

OPERATION_TTLS: Mapping[str, float] = MappingProxyType(
    {"summarize": 7200.0, "sentiment": 86400.0, "key_points": 7200.0, "questions": 3600.0, "qa": 1800.0}
)
"""Seconds that the answers of well-known operations live."""

TEXT_SIZE_TIERS: Mapping[str, int] = MappingProxyType({"small": 500, "medium": 5000, "large": 50000})
"""Characters from which on a text belongs to the next tier; ``xlarge`` is above them all."""

_TIERS = (*TEXT_SIZE_TIERS, "xlarge")


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """``ttls``: seconds by operation; ``bounds``: characters at which the next tier of texts begins.

    ``in_memory``: the tiers whose answers memory holds too.

    >>> policy = AnswerPolicy.of(3600, {"translate": "1h"}, None, ["small"])
    >>> policy.ttl("qa"), policy.ttl("translate"), policy.ttl("other"), policy.tier(499), policy.tier(500)
    (1800.0, 3600.0, 3600.0, 'small', 'medium')
    """

    default_ttl: float
    ttls: Mapping[str, float]
    bounds: tuple[int, ...]
    in_memory: frozenset[str]

    @classmethod
    def of(
        cls,
        default_ttl: Duration,
        ttls: Mapping[str, Duration] | None,
        tiers: Mapping[str, int] | None,
        in_memory: Collection[str],
    ) -> AnswerPolicy:
        """Return the policy of checked settings: ``ttls`` and ``tiers`` change the well-known ones.

        Raises ``CacheValueError`` for a life of 0 or less, and for tiers that do not rise.
        """
        given = {
            checked_operation(name): _above_zero(ttl, f"operation_ttls[{name!r}]") for name, ttl in (ttls or {}).items()
        }
        return cls(
            _above_zero(default_ttl, "default_ttl"),
            MappingProxyType({**OPERATION_TTLS, **given}),
            _rising({**TEXT_SIZE_TIERS, **dict(tiers or {})}),
            _known(in_memory),
        )

    def ttl(self, operation: str) -> float:
        """Return the seconds that an answer of ``operation`` lives."""
        return self.ttls.get(operation, self.default_ttl)

    def tier(self, length: int) -> str:
        """Return the tier of a text of ``length`` characters: ``small``, ``medium``, ``large`` or ``xlarge``."""
        return _TIERS[bisect_right(self.bounds, length)]


def _above_zero(ttl: Duration, name: str) -> float:
    life = seconds(ttl, name)
    if life <= 0:
        raise CacheValueError(f"{name} is a time above 0, not {ttl!r}")
    return life


def _rising(tiers: dict[str, int]) -> tuple[int, ...]:
    unknown = set(tiers) - set(TEXT_SIZE_TIERS)
    if unknown:
        raise CacheValueError(
            f"text_size_tiers are small, medium and large, not {', '.join(sorted(map(str, unknown)))}"
        )
    bounds = list(tiers.values())
    if any(type(bound) is not int or bound < 1 for bound in bounds) or sorted(set(bounds)) != bounds:
        raise CacheValueError(f"text_size_tiers are numbers of characters that rise from small to large, not {tiers}")
    return tuple(bounds)


def _known(names: Collection[str]) -> frozenset[str]:
    if isinstance(names, str) or not all(name in _TIERS for name in names):
        raise CacheValueError(f"memory_tiers are names out of {', '.join(_TIERS)}, not {names!r}")
    return frozenset(names)
