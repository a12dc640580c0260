"""From a call to its key and its tags.

The default key is the function's name and the digest of the bound arguments; for a method, what stands for its object
comes first. A template is filled with the bound arguments; a function of the user is called with those of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.keys.canonical import encode
from cachery.keys.digest import digest
from cachery.keys.memo import KeyMemo
from cachery.keys.signature import CallSignature
from cachery.keys.template import KeyTemplate
from cachery.keys.text import exact_key, exact_tags
from cachery.loading import found_sources
from cachery.sources.source import Source, exact_sources, filled, text_of

__all__ = ["FindKey", "FindSources", "FindTags", "key_finder", "method_key_finder", "source_finder", "tag_finder"]

Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = dict[str, Any]
FindKey: TypeAlias = Callable[[Args, Kwargs], str]
FindTags: TypeAlias = Callable[[Args, Kwargs], tuple[str, ...]]
FindSources: TypeAlias = Callable[[Args, Kwargs], tuple[Source, ...]]
SelfKey: TypeAlias = Callable[[Any], Any]


def key_finder(signature: CallSignature, name: str, key: str | Callable[..., str] | None) -> FindKey:
    """Return what gives the key of a call of the function called ``name``.

    Raises ``CacheValueError`` for a template that names no argument, and for a ``key`` of another kind.
    """
    if key is None:

        def make(args: Args, kwargs: Kwargs) -> str:
            return f"{name}:{digest(encode(tuple(signature.bind(args, kwargs).values())))}"

        return _remembering(make)
    if isinstance(key, str):
        template = KeyTemplate(key, signature.names)
        return _remembering(lambda args, kwargs: template.fill(signature.bind(args, kwargs)))
    if callable(key):
        return _found_by(key)
    raise CacheValueError(f"key is a template such as 'user:{{user_id}}', or a function, not {type(key).__name__}")


def method_key_finder(signature: CallSignature, name: str, owner_name: SelfKey, key_self: SelfKey) -> FindKey:
    """Return what gives the key of a call of the method called ``name``.

    ``owner_name`` names the class of the object that the method is called on, ``key_self`` says which one it is.
    """

    def make(marked: Args, kwargs: Kwargs) -> str:
        owner, identity, *args = marked
        _, *values = signature.bind((None, *args), kwargs).values()
        return f"{name}:{digest(encode((owner, identity, *values)))}"

    remembered = _remembering(make)

    def find(args: Args, kwargs: Kwargs) -> str:
        if not args:
            raise TypeError(f"{name} is a method: its first argument is the object")
        return remembered((owner_name(args[0]), key_self(args[0]), *args[1:]), kwargs)

    return find


def tag_finder(signature: CallSignature, tags: Iterable[str]) -> FindTags:
    """Return what gives the tags of a call; those with fields are templates over its arguments."""
    given = exact_tags(tags)
    templates = [KeyTemplate(tag, signature.names, "tags") for tag in given]
    if not any(template.fields for template in templates):
        plain = tuple(template.fill({}) for template in templates)
        return lambda _args, _kwargs: plain

    def find(args: Args, kwargs: Kwargs) -> tuple[str, ...]:
        arguments = signature.bind(args, kwargs)
        return tuple(template.fill(arguments) for template in templates)

    return find


def source_finder(signature: CallSignature, depends_on: Iterable[Any] | Callable[..., Any]) -> FindSources | None:
    """Return what gives the sources of a call; ``None`` where there are none.

    Names, keys and paths with fields are templates over its arguments; a function is called with those of the call.
    """
    if callable(depends_on):
        ask = depends_on
        return lambda args, kwargs: found_sources(ask(*args, **kwargs))
    given = exact_sources(depends_on) if depends_on != () else ()
    if not given:
        return None
    templates = [(source, KeyTemplate(text_of(source), signature.names, "depends_on")) for source in given]

    def find(args: Args, kwargs: Kwargs) -> tuple[Source, ...]:
        arguments = signature.bind(args, kwargs)
        return tuple(filled(source, template.fill(arguments)) for source, template in templates)

    return find


def _remembering(make: FindKey) -> FindKey:
    """Return ``make`` with a memory for calls whose arguments are plain."""
    find: FindKey = KeyMemo(make).find
    return find


def _found_by(key: Callable[..., str]) -> FindKey:
    """Return a finder that asks the user's function; never remembered, for it may look at more than the arguments."""

    def find(args: Args, kwargs: Kwargs) -> str:
        found = key(*args, **kwargs)
        if not isinstance(found, str):
            raise CacheKeyError(f"the function given as key returned {type(found).__name__}, not str", key=repr(found))
        return exact_key(found)

    return find
