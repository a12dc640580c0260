"""Keys written as text with fields: ``user:{user_id}``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter

from cachery.exceptions import CacheKeyError, CacheValueError

__all__ = ["KeyTemplate"]

_FIELD = re.compile(r"(?P<name>[^.\[\]]*)(?P<path>(?:\.[^.\[\]]+|\[[^\[\]]+\])*)")
_ATTRIBUTE = re.compile(r"\[[^\[\]]+\]|\.([^.\[\]]+)")
_LEVELS = 2
"""A format specification may have fields, but these no further ones: a rule of ``str.format``."""


class KeyTemplate:
    """The key of a call, as ``text`` says it with fields that name parameters, those in ``names``.

    A field is written as for ``str.format``: ``{name}``, ``{name.attribute}``, ``{name[item]}``, with a conversion or a
    format specification if need be. ``fields`` are the names it uses. Raises ``CacheValueError`` for text that is no
    such template, for a field that names no parameter or none at all, and for an attribute that begins with ``_``;
    ``what`` says there which argument it was.

    >>> template = KeyTemplate("user:{user_id:04d}:{lang}", ["user_id", "lang"])
    >>> template.fill({"user_id": 42, "lang": "fr"})
    'user:0042:fr'
    >>> KeyTemplate("user:{id}", ["user_id", "lang"])
    Traceback (most recent call last):
        ...
    cachery.exceptions.CacheValueError: key='user:{id}': there is no parameter 'id' (there are: user_id, lang)
    """

    __slots__ = ("_text", "_what", "fields")

    def __init__(self, text: str, names: Iterable[str], what: str = "key") -> None:
        if not isinstance(text, str):
            raise CacheValueError(f"{what}= is text such as 'user:{{user_id}}', not {type(text).__name__}")
        self._text = str.__str__(text)
        self._what = what
        self.fields = _fields(self._text, tuple(names), what)

    def fill(self, arguments: Mapping[str, object]) -> str:
        """Return the text with the values of ``arguments``, by name, in its fields.

        Raises ``CacheKeyError``, from the reason, if a value lacks an attribute or item or refuses a format.
        """
        try:
            return self._text.format_map(arguments)
        except Exception as error:
            message = f"{self._what}={self._text!r} cannot be filled: {type(error).__name__}: {error}"
            raise CacheKeyError(message, key=self._text) from error


def _fields(text: str, names: tuple[str, ...], what: str) -> frozenset[str]:
    """Return the names that ``text`` uses; raise ``CacheValueError``, quoting it, if that is no template."""
    try:
        return frozenset(_checked(field, names) for field in _parsed(text, _LEVELS))
    except ValueError as error:
        raise CacheValueError(f"{what}={text!r}: {error}", key=text) from None


def _parsed(text: str, levels: int) -> Iterator[str]:
    """Give the fields of ``text`` and of their format specifications, without braces."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error} (a brace that is no field is written twice: {{{{ or }}}})") from None
    for _, field, specification, conversion in parts:
        if field is None:
            continue
        if not levels:
            raise ValueError("fields are nested too deeply: at most one within another, after its colon")
        if conversion not in {None, "r", "s", "a"}:
            raise ValueError(f"there is no conversion !{conversion}, only !s, !r and !a")
        yield field
        yield from _parsed(specification or "", levels - 1)


def _checked(field: str, names: tuple[str, ...]) -> str:
    """Return the name of the parameter that ``field`` begins with; raise ``ValueError`` if it may not stand there."""
    match = _FIELD.fullmatch(field)
    if match is None:
        raise ValueError(f"{{{field}}} is no field: write {{name}}, {{name.attribute}} or {{name[item]}}")
    name, path = match["name"], match["path"]
    parameters = f"(there are: {', '.join(names) or 'none'})"
    if not name or name.isdigit():
        raise ValueError(f"{{{field}}} names no parameter: write its name {parameters}")
    if name not in names:
        raise ValueError(f"there is no parameter {name!r} {parameters}")
    if any(attribute.startswith("_") for attribute in _ATTRIBUTE.findall(path)):
        raise ValueError(f"{{{field}}} reads a private attribute: use one whose name begins with a letter")
    return name
