"""The kinds of values that settings have: each checks what was written and says what should have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachery.exceptions import CacheValueError
from cachery.model.durations import life_of, seconds
from cachery.model.sentinels import FOREVER
from cachery.model.sizes import bytes_of

__all__ = [
    "COUNT",
    "FLAG",
    "LIFE",
    "NUMBER",
    "PAIRS",
    "PATH",
    "SECRETS",
    "SIZE",
    "SPAN",
    "TABLE",
    "TEXT",
    "Kind",
    "one_of",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: ``check`` returns one as a constructor takes it, or raises ``CacheValueError``.

    ``parse``: what the text of a variable is taken for; ``is_path``: whether it is one.
    """

    check: Callable[[Any], Any]
    parse: Callable[[str], Any] = str
    is_path: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise CacheValueError(f"write text, not {_name_of(value)}")
    return value


def one_of(*choices: str) -> Kind:
    """Return the kind of values that is one of ``choices``.

    >>> one_of("process", "commit").check("commit")
    'commit'
    """

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise CacheValueError(f"write {' or '.join(map(repr, choices))}, not {_shown(value)}")
        return value

    return Kind(check)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CacheValueError(f"write a whole number, 0 or more, not {_shown(value)}")
    return value


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
    life_of(value)
    return value


def _span(value: Any) -> Any:
    seconds(value, "it")
    return value


def _size(value: Any) -> Any:
    bytes_of(value, "it")
    return value


def _secrets(value: Any) -> str | list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(each, str | bytes) and each for each in values):
        raise CacheValueError("write text, or a list of texts, the newest first")
    return value if isinstance(value, str) else list(values)


def _pairs(value: Any) -> list[tuple[str, int]]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise CacheValueError('write pairs of host and port: [["host", 26379], ...]')
    return [_pair(each) for each in value]


def _pair(value: Any) -> tuple[str, int]:
    match value:
        case [str() as host, int() as port] if not isinstance(port, bool):
            return host, port
    raise CacheValueError(f'write pairs of host and port, ["host", 26379], not {_shown(value)}')


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise CacheValueError(f"write a table, not {_shown(value)}")
    return dict(value)


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise CacheValueError(f"write the path of a directory, not {_name_of(value)}")
    return Path(value).expanduser()


def _whole_of(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    return FOREVER if text == "inf" else text


def _flag_of(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float) else _name_of(value)


def _name_of(value: Any) -> str:
    return "nothing" if value in ("", None) else type(value).__name__


TEXT = Kind(_text)
NUMBER = Kind(_number, _whole_of)
COUNT = Kind(_count, _whole_of)
FLAG = Kind(_flag, _flag_of)
LIFE = Kind(_life)
SPAN = Kind(_span)
SIZE = Kind(_size)
SECRETS = Kind(_secrets)
PAIRS = Kind(_pairs)
TABLE = Kind(_table)
PATH = Kind(_path, is_path=True)
