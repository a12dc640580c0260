"""``cached``: from a function and options to a decorated function, everything that can be wrong refused at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from cachery.decorators.coroutines import cached_async_generator, cached_coroutine
from cachery.decorators.functions import cached_function, cached_generator
from cachery.decorators.identity import Identities, identities_of
from cachery.decorators.keying import FindKey, SelfKey, key_finder, method_key_finder, source_finder, tag_finder
from cachery.decorators.methods import BoundCoroutine, BoundFunction, CachedMethod
from cachery.decorators.recipe import Recipe
from cachery.decorators.subject import Binding, Kind, Subject, defines_cache_key
from cachery.exceptions import CacheValueError
from cachery.model.durations import Duration
from cachery.model.options import load_options

__all__ = ["cached_in", "cached_in_loop"]

_BLOCKING = {Kind.FUNCTION: cached_function, Kind.GENERATOR: cached_generator}
_LOOP = {Kind.COROUTINE: cached_coroutine, Kind.ASYNC_GENERATOR: cached_async_generator}


def cached_in(cache: Any, function: Any, ttl: Duration | None, options: dict[str, Any]) -> Any:
    """Return ``function`` decorated to keep its results in a blocking ``cache``; without one, the decorator."""
    return _decorated(cache, function, ttl, options, _BLOCKING)


def cached_in_loop(cache: Any, function: Any, ttl: Duration | None, options: dict[str, Any]) -> Any:
    """Return ``function`` decorated to keep its results in a ``cache`` of ``cachery.aio``; or the decorator."""
    return _decorated(cache, function, ttl, options, _LOOP)


Makers = Mapping[Kind, Callable[[Recipe], Any]]


def _decorated(cache: Any, function: Any, ttl: Duration | None, options: dict[str, Any], makers: Makers) -> Any:
    rest = dict(options)
    key, key_self, tags = rest.pop("key", None), rest.pop("key_self", None), rest.pop("tags", ())
    depends_on = rest.pop("depends_on", ())
    chosen = load_options(ttl, **rest)
    _check_key_options(key, key_self)

    def decorate(decorated: Any) -> Any:
        subject = Subject.of(decorated)
        _check_kind(subject, makers)
        identities = identities_of(cache.engine.core.flights)
        find_key = _finder(subject, identities, key, key_self)
        find_tags = tag_finder(subject.signature, tags)
        find_sources = source_finder(subject.signature, depends_on)
        recipe = Recipe(subject, cache, find_key, find_tags, chosen, find_sources)
        return _bindable(makers[subject.kind](recipe), subject)

    return decorate if function is None else decorate(function)


def _finder(subject: Subject, identities: Identities, key: Any, key_self: Any) -> FindKey:
    name = identities.name_of(subject.function)
    if key is not None or subject.binding in (Binding.NONE, Binding.STATIC):
        _check_no_key_self(subject, key_self)
        return key_finder(subject.signature, name, key)
    if subject.binding is Binding.CLASS:
        _check_no_key_self(subject, key_self)
        return method_key_finder(subject.signature, name, partial(_name_of_class, identities, name), lambda _: None)
    if key_self is None:
        _check_cache_key(subject)
    return method_key_finder(
        subject.signature, name, lambda owner: identities.name_of(type(owner)), _self_key(key_self)
    )


def _check_no_key_self(subject: Subject, key_self: Any) -> None:
    if key_self is not None:
        kind = "is called on its class" if subject.binding is Binding.CLASS else "is no method"
        raise CacheValueError(f"key_self says which object a method is called on, and {subject.name} {kind}")


def _name_of_class(identities: Identities, name: str, owner: Any) -> str:
    if not isinstance(owner, type):
        raise TypeError(f"the first argument of {name} is its class; cached above @classmethod puts it there itself")
    return identities.name_of(owner)


def _check_cache_key(subject: Subject) -> None:
    if not defines_cache_key(subject.function):
        raise CacheValueError(
            f"{subject.name} is a method, and two objects must not share what it returns by accident: "
            "give key='...{argument}', or key_self=lambda self: self.id, or define __cache_key__(self) in its class "
            "(one that is inherited is given as key_self=Base.__cache_key__)"
        )


def _self_key(key_self: Any) -> SelfKey:
    if key_self is None:
        return _ask_object
    return attrgetter(key_self) if isinstance(key_self, str) else key_self


def _ask_object(owner: Any) -> Any:
    return owner.__cache_key__()


def _check_key_options(key: Any, key_self: Any) -> None:
    if key_self is None:
        return
    if key is not None:
        raise CacheValueError(
            "key says it all, so key_self would do nothing: write the object into key, as in '{self.id}'"
        )
    if not isinstance(key_self, str) and not callable(key_self):
        raise CacheValueError(
            f"key_self is a function of the object, or the name of an attribute, not {type(key_self).__name__}"
        )


def _check_kind(subject: Subject, makers: Makers) -> None:
    if subject.kind in makers:
        return
    if makers is _BLOCKING:
        advice = (
            "this cache is not asynchronous: use that of the same name in cachery.aio, as in cachery.aio.get_cache()"
        )
    else:
        advice = "this cache is asynchronous: use that of the same name in cachery, as in cachery.get_cache()"
    article = "an" if subject.kind is Kind.ASYNC_GENERATOR else "a"
    raise CacheValueError(f"{subject.name} is {article} {subject.kind.value}, and {advice}")


def _bindable(call: Any, subject: Subject) -> Any:
    """Return ``call`` as it is to stand in a class, when it is to."""
    if subject.binding is Binding.STATIC and subject.is_wrapped:
        return staticmethod(call)
    if subject.binding is Binding.OBJECT or (subject.binding is Binding.CLASS and subject.is_wrapped):
        bound = BoundCoroutine if subject.kind is Kind.COROUTINE else BoundFunction
        return CachedMethod(call, is_of_class=subject.binding is Binding.CLASS, bound=bound)
    return call
