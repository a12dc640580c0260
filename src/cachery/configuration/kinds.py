"""The kinds of values that settings have: each checks what was written and says what should have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cachery.exceptions import CacheValueError
from cachery.model.durations import seconds
from cachery.model.sentinels import FOREVER
from cachery.model.sizes import bytes_of

__all__ = [
    "COUNT",
    "FLAG",
    "LIFE",
    "NUMBER",
    "PAIRS",
    "PATH",
    "PATIENCE",
    "PORT",
    "POSITIVE",
    "SCHEMES",
    "SECRETS",
    "SHORTEST_SECRET",
    "SIZE",
    "SPAN",
    "STALENESS",
    "TABLE",
    "TEXT",
    "URL",
    "Kind",
    "one_of",
]

SCHEMES = ("redis", "rediss", "unix", "valkey", "valkeys")
"""How the URL of a server may begin."""

SHORTEST_SECRET = 16
"""The fewest bytes of a secret."""

_HIGHEST_PORT = 65535
_HOUR = 3600.0
_SPANS = "'250ms', '90s', '5m', '1h30m', or seconds"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: ``check`` returns one as a constructor takes it, or raises ``CacheValueError``.

    ``parse``: what the text of a variable is taken for; ``is_path``: whether it is one; ``is_discreet``: whether what
    is said of a wrong one never shows it.
    """

    check: Callable[[Any], Any]
    parse: Callable[[str], Any] = str
    is_path: bool = False
    is_discreet: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise CacheValueError(f"write text, not {_name_of(value)}")
    return value


def one_of(*choices: str, in_any_case: bool = False) -> Kind:
    """Return the kind of values that is one of ``choices``.

    >>> one_of("process", "commit").check("commit")
    'commit'
    """

    def check(value: Any) -> str:
        if not isinstance(value, str) or (value.lower() if in_any_case else value) not in choices:
            *others, last = map(repr, choices)
            raise CacheValueError(f"write {', '.join(others)} or {last}, not {_shown(value)}{_hint(value)}")
        return value

    def _hint(value: Any) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

        closest = get_close_matches(value.lower(), choices, 1, 0.7) if isinstance(value, str) else []
        return f": did you mean {closest[0]}?" if closest else ""

    return Kind(check)


def _parts_of(scheme: str, rest: str) -> SplitResult | None:
    """Return the parts of a URL; ``None`` for one whose port is none."""
    try:
        parts = urlsplit(f"redis://{rest}")
        port = None if scheme == "unix" else parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _number_from(least: int, most: float = inf) -> Callable[[Any], int]:
    limits = f"{least} or more" if most == inf else f"{least} to {most}"

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise CacheValueError(f"write a whole number, {limits}, not {_shown(value)}")
        return value

    return check


def _url(value: Any) -> str:
    """Return the URL of a server, or a host. What is said of a wrong one never shows it: a password may be in it."""
    text = _text(value)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    if scheme.lower() not in SCHEMES:
        raise CacheValueError(f"write a URL that begins with {', '.join(f'{one}://' for one in SCHEMES)}")
    parts = _parts_of(scheme.lower(), rest)
    if parts is None:
        raise CacheValueError(f"write a URL whose port is 1 to {_HIGHEST_PORT}")
    database = parts.path.strip("/")
    if scheme.lower() != "unix" and database and not database.isdecimal() and "db=" not in parts.query:
        raise CacheValueError("write a URL whose path is the number of a database: redis://host:6379/0")
    return text


def _count(value: Any) -> int | None:
    """Return a number of entries, ``None`` for any number."""
    if value == FOREVER:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise CacheValueError(f"write a whole number, 1 or more, or inf, not {_shown(value)}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CacheValueError(f"write true or false, not {_shown(value)}")
    return value


def _life(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in {"forever", "inf"}:
        return FOREVER
    if _seconds_of(value, ' or "forever"') <= 0:
        raise CacheValueError(f"write a time span above 0, not {_shown(value)}; backend = 'null' switches caching off")
    return value


def _seconds_of(value: Any, more: str = "") -> float:
    try:
        return seconds(value)
    except CacheValueError:
        said = f"{value!r} is no time span" if isinstance(value, str) else f"{_shown(value)} is no time span"
        raise CacheValueError(f"{said}: write {_SPANS}{more}") from None


def _span(value: Any) -> Any:
    if _seconds_of(value) <= 0:
        raise CacheValueError(f"write a time span above 0, not {_shown(value)}")
    return value


def _patience(value: Any) -> Any:
    if not 0 < _seconds_of(value) < inf:
        raise CacheValueError(f"write a time span above 0 that has an end, not {_shown(value)}")
    return value


def _staleness(value: Any) -> Any:
    if not 0 <= _seconds_of(value) <= _HOUR:
        raise CacheValueError(f"write a time span from 0 to an hour, not {_shown(value)}")
    return value


def _size(value: Any) -> Any:
    try:
        bytes_of(value, "size")
    except CacheValueError:
        said = f"write a number of bytes above 0, or text such as '64MiB', not {_shown(value)}"
        raise CacheValueError(said) from None
    return value


def _secrets(value: Any) -> str | list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(each, str | bytes) and each for each in values):
        raise CacheValueError("write text, or a list of texts, the newest first")
    if any(
        len(each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each) < SHORTEST_SECRET
        for each in values
    ):
        raise CacheValueError(f"a secret is {SHORTEST_SECRET} bytes or more: secrets.token_hex(32) makes one")
    return value if isinstance(value, str) else list(values)


def _pairs(value: Any) -> list[tuple[str, int]]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise CacheValueError('write pairs of host and port: [["host", 26379], ...]')
    return [_pair(each) for each in value]


def _pair(value: Any) -> tuple[str, int]:
    match value:
        case [str() as host, int() as port] if host and not isinstance(port, bool) and 1 <= port <= _HIGHEST_PORT:
            return host, port
    raise CacheValueError(f'write pairs of host and port, ["host", 26379], not {_shown(value)}')


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise CacheValueError(f"write a table, not {_shown(value)}")
    return dict(value)


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise CacheValueError(f"write the path of a directory, not {_name_of(value)}")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise CacheValueError(f"the user of {str(value)!r} has no home here that is known") from None


def _whole_of(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    return FOREVER if text == "inf" else text


def _flag_of(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float) else _name_of(value)


def _name_of(value: Any) -> str:
    return "an empty one" if isinstance(value, str) and not value else type(value).__name__


TEXT = Kind(_text)
URL = Kind(_url, is_discreet=True)
NUMBER = Kind(_number_from(0), _whole_of)
POSITIVE = Kind(_number_from(1), _whole_of)
PORT = Kind(_number_from(1, _HIGHEST_PORT), _whole_of)
COUNT = Kind(_count, _whole_of)
FLAG = Kind(_flag, _flag_of)
LIFE = Kind(_life)
SPAN = Kind(_span)
PATIENCE = Kind(_patience)
STALENESS = Kind(_staleness)
SIZE = Kind(_size)
SECRETS = Kind(_secrets, is_discreet=True)
PAIRS = Kind(_pairs)
TABLE = Kind(_table)
PATH = Kind(_path, is_path=True)
