"""Types of the program that msgpack may carry, each under a name that is the same in every process.

Nothing is imported by name: what is stored can only name what the program has registered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from cachery.exceptions import CacheValueError
from cachery.serializers.extension_types import CARRIED
from cachery.serializers.refusals import Refusal, type_name
from cachery.serializers.shapes import Forms, forms_of

__all__ = ["Registration", "how_to_register", "register", "registration_named", "registration_of"]

_Kind = TypeVar("_Kind", bound=type)


@dataclass(frozen=True, slots=True)
class Registration:
    """A type, what it is called, and how it becomes plain values and comes back."""

    kind: type
    name: str
    forms: Forms

    def taken_apart(self, value: Any) -> Any:
        """Return ``value`` as plain values. Raises ``Refusal``, from the reason, if that fails."""
        try:
            return self.forms.encode(value)
        except Refusal:
            raise
        except Exception as error:
            claim = f"of type {type_name(self.kind)} cannot be taken apart ({type(error).__name__}: {error})"
            raise Refusal(value, claim, "correct it, or its encode=") from error

    def put_together(self, content: Any) -> Any:
        """Return the value. Raises anything if ``content`` is not of its kind."""
        return self.forms.decode(content)


_BY_KIND: dict[type, Registration] = {}
_BY_NAME: dict[str, Registration] = {}


@overload
def register(
    kind: _Kind,
    *,
    name: str | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
) -> _Kind: ...
@overload
def register(
    kind: None = None,
    *,
    name: str | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
) -> Callable[[_Kind], _Kind]: ...
def register(
    kind: type | None = None,
    *,
    name: str | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
) -> Any:
    """Let msgpack carry instances of ``kind``, in this process; return ``kind``. Without it, a decorator.

    An ``Enum`` is written as the name of its member (a ``Flag`` as its number), a dataclass and a named tuple as their
    fields, a pydantic model as ``model_dump`` has it. For another class, ``encode`` returns something that msgpack
    carries, and ``decode`` makes the instance of it again. A dataclass comes back with the fields it had; neither
    ``__init__`` nor ``__post_init__`` runs. A field added since then gets its default, one that is gone is an error.

    ``name`` is what stands in the stored bytes, by default the class by module and qualified name. Choose one for a
    class that may move, or that a script defines. To register a class again is fine, also under another name; what was
    written under the former one can still be read. Subclasses are registered by themselves.

    A class that is defined again, in a notebook or by a reload, takes the place of the former.

    Raises ``CacheValueError`` if another class has that name, or if ``kind`` is none of the above.

    >>> from dataclasses import dataclass
    >>> from cachery.serializers import MsgpackSerializer
    >>> @register(name="point")
    ... @dataclass
    ... class Point:
    ...     x: int
    ...     y: int
    >>> serializer = MsgpackSerializer()
    >>> serializer.deserialize(serializer.serialize([Point(1, 2)]))
    [Point(x=1, y=2)]
    """
    if kind is None:
        return lambda decorated: register(decorated, name=name, encode=encode, decode=decode)
    _check_kind(kind)
    forms = forms_of(kind, encode, decode)
    if forms is None:
        message = f"{type_name(kind)} is no enum, dataclass, named tuple or pydantic model"
        raise CacheValueError(f"{message}: write {_call(kind, 'encode=..., decode=...')}")
    registration = Registration(kind, _checked_name(kind, name), forms)
    _claim(registration)
    _BY_KIND[kind] = registration
    return kind


def registration_of(kind: type) -> Registration | None:
    """Return how ``kind`` is written, ``None`` if it is not registered.

    >>> registration_of(object) is None
    True
    """
    return _BY_KIND.get(kind)


def registration_named(name: object) -> Registration:
    """Return how what is stored under ``name`` is read. Raises ``ValueError`` if this process has no such type."""
    found = _BY_NAME.get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"no type is registered as {name!r}: write cachery.serializers.register(...) here too")
    return found


def how_to_register(kind: type) -> str:
    """Return the advice for a value of ``kind``: the line that lets msgpack carry it.

    >>> how_to_register(object)
    'write cachery.serializers.register(object, encode=..., decode=...) or serializer="pickle"'
    """
    try:
        more = "" if forms_of(kind) else "encode=..., decode=..."
    except CacheValueError:
        more = "encode=..., decode=..."
    return f'write {_call(kind, more)} or serializer="pickle"'


def _call(kind: type, more: str) -> str:
    return f"cachery.serializers.register({kind.__name__}{', ' * bool(more)}{more})"


def _check_kind(kind: object) -> None:
    if not isinstance(kind, type):
        raise CacheValueError(f"only classes are registered, not {type(kind).__name__}")
    if kind in CARRIED:
        raise CacheValueError(f"{type_name(kind)} is carried as it is, and needs no registration")


def _checked_name(kind: type, name: object) -> str:
    if name is None:
        return type_name(kind)
    if not isinstance(name, str) or not name:
        raise CacheValueError(f"name is a str that is not empty, not {name!r}")
    return str.__str__(name)


def _claim(registration: Registration) -> None:
    holder = _BY_NAME.setdefault(registration.name, registration)
    if holder.kind is not registration.kind and not _is_defined_again(holder.kind, registration.kind):
        message = f"another class is registered as {registration.name!r}: write name='...', one for each"
        raise CacheValueError(message)
    _BY_NAME[registration.name] = registration


def _is_defined_again(former: type, kind: type) -> bool:
    """Tell whether both are what one statement of a module defines; one in a function may define several."""
    return type_name(former) == type_name(kind) and "<locals>" not in kind.__qualname__
