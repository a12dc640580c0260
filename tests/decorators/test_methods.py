"""Decorated methods: what stands for their object, and what they have on it."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from cachery import InMemoryCache, aio
from cachery.testing import assert_cached

CACHE = InMemoryCache()


class Shop:
    """Something with an identity, of which there may be many."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        return f"{self.city} {self.asked}"

    @CACHE.cached(key_self="city")
    def by_name(self, article: str = "tea") -> str:
        """Return the price of ``article``."""
        return f"{article} {self.ask()}"

    @CACHE.cached(key_self=lambda self: (self.city, 1))
    def by_function(self) -> str:
        return self.ask()

    @CACHE.cached(key="offers:{self.city}:{limit}", tags=["city:{self.city}"])
    def by_template(self, limit: int) -> str:
        return f"{limit} {self.ask()}"

    @CACHE.cached(key=lambda self, *, limit: f"{self.city}/{limit}")
    def by_key(self, *, limit: int) -> str:
        return f"{limit} {self.ask()}"


class Branch(Shop):
    """A class of the same methods, which may answer differently."""


@pytest.fixture(autouse=True)
def _empty() -> None:
    CACHE.clear()


@pytest.mark.parametrize("name", ["by_name", "by_function"])
def test_objects_share_what_their_key_says(name: str) -> None:
    rome, again, oslo = Shop("Rome"), Shop("Rome"), Shop("Oslo")
    first = getattr(rome, name)()
    assert getattr(rome, name)() == getattr(again, name)() == first
    assert getattr(oslo, name)() != first
    assert (rome.asked, again.asked, oslo.asked) == (1, 0, 1)


def test_templates_and_functions_of_the_key_see_the_object() -> None:
    rome = Shop("Rome")
    assert rome.by_template(5) == Shop("Rome").by_template(limit=5) == "5 Rome 1"
    assert CACHE.get("offers:Rome:5") == "5 Rome 1"
    CACHE.invalidate_tags("city:Rome")
    assert rome.by_template(5) == "5 Rome 2"
    assert rome.by_key(limit=7) == "7 Rome 3"
    assert rome.by_key.key(limit=7) == "Rome/7"


def test_methods_of_one_object_have_keys_of_their_own() -> None:
    rome = Shop("Rome")
    assert rome.by_name.key() != rome.by_name.key("milk")
    assert rome.by_name.key() == rome.by_name.key("tea") == rome.by_name.key(article="tea")
    assert len({rome.by_name.key(), rome.by_function.key(), rome.by_template.key(1)}) == 3


def test_a_subclass_does_not_share_with_its_base() -> None:
    assert Shop("Rome").by_name() == "tea Rome 1"
    branch = Branch("Rome")
    assert branch.by_name("milk") == "milk Rome 1"
    assert branch.by_name() == "tea Rome 2"
    assert branch.by_name.key() != Shop("Rome").by_name.key()


def test_what_it_has_on_an_object_and_on_the_class() -> None:
    rome = Shop("Rome")
    assert rome.by_name("milk") == Shop.by_name(rome, "milk") == "milk Rome 1"
    assert rome.by_name.key("milk") == Shop.by_name.key(rome, "milk")
    assert rome.by_name.cache is Shop.by_name.cache is CACHE
    assert rome.by_name.refresh("milk") == "milk Rome 2"
    assert Shop.by_name.refresh(rome, article="milk") == "milk Rome 3"
    assert rome.by_name("milk") == "milk Rome 3"
    assert_cached(rome.by_name, "milk")
    assert_cached(Shop.by_name, rome, "milk")
    assert Shop.by_name.invalidate(rome, "milk")
    assert not rome.by_name.invalidate("milk")
    assert rome.by_name.__wrapped__(rome, "milk") == "milk Rome 4"
    with pytest.raises(TypeError, match="its first argument is the object"):
        Shop.by_name.key()  # type: ignore[call-arg]


def test_it_is_what_it_wraps_to_those_who_look() -> None:
    bound, unbound = Shop("Rome").by_name, Shop.by_name
    for method in (bound, unbound):
        assert (method.__name__, method.__qualname__) == ("by_name", "Shop.by_name")
        assert method.__doc__ == inspect.getdoc(method) == "Return the price of ``article``."
    assert str(inspect.signature(bound)) == "(article: 'str' = 'tea') -> 'str'"
    assert str(inspect.signature(unbound)) == "(self, article: 'str' = 'tea') -> 'str'"
    assert repr(bound).startswith("<cached method Shop.by_name of <")


def test_bound_methods_are_equal_when_object_and_function_are() -> None:
    rome = Shop("Rome")
    assert rome.by_name == rome.by_name
    assert len({rome.by_name, rome.by_name}) == 1
    assert rome.by_name != Shop("Rome").by_name
    assert rome.by_name != rome.by_function
    assert rome.by_name != object()


def test_bound_methods_can_be_copied_and_pickled_with_their_object() -> None:
    rome = Shop("Rome")
    rome.asked = 7
    twins: list[Any] = [copy.copy(rome.by_name), pickle.loads(pickle.dumps(rome.by_name))]  # noqa: S301 - written here
    for twin in twins:
        assert (twin.__self__.city, twin.__self__.asked) == ("Rome", 7)
        assert twin.key() == rome.by_name.key()
    twin_shop, twin_method = copy.deepcopy((rome, rome.by_name))
    assert twin_method == twin_shop.by_name
    assert twin_shop is not rome


def test_an_unknown_attribute_is_missing() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        Shop("Rome").by_name.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_a_cache_key_may_stand_above_the_method_or_below() -> None:
    cache = InMemoryCache()

    class Above:
        def __cache_key__(self) -> int:
            return 1

        @cache.cached
        def load(self) -> str:
            return "above"

    class Below:
        @cache.cached
        def load(self) -> str:
            return "below"

        def __cache_key__(self) -> int:
            return 1

    assert (Above().load(), Below().load()) == ("above", "below")
    assert Above().load.key() == Above().load.key()


def test_an_inherited_cache_key_is_given_as_key_self() -> None:
    cache = InMemoryCache()

    class Base:
        def __init__(self, number: int) -> None:
            self.number = number

        def __cache_key__(self) -> int:
            return self.number

    class Child(Base):
        @cache.cached(key_self=Base.__cache_key__)
        def load(self) -> int:
            return self.number

    class Grandchild(Child):
        def __cache_key__(self) -> int:
            return -self.number

    assert [Child(1).load(), Child(2).load(), Grandchild(2).load()] == [1, 2, 2]
    assert Child(1).load.key() == Child(1).load.key()
    assert cache.stats.load_success == 3


def test_an_overridden_method_and_its_base_are_kept_apart() -> None:
    cache = InMemoryCache()

    class Base:
        def __cache_key__(self) -> int:
            return 1

        @cache.cached
        def load(self) -> str:
            return "base"

    class Child(Base):
        def __cache_key__(self) -> int:
            return 1

        @cache.cached
        def load(self) -> str:
            return f"child of {super().load()}"

    for _ in range(2):
        assert (Base().load(), Child().load()) == ("base", "child of base")
    assert len(cache) == 3


def test_class_methods_take_their_class_from_cached_above() -> None:
    cache = InMemoryCache()

    class Model:
        table = "models"

        @cache.cached
        @classmethod
        def column(cls, name: str) -> str:
            """Return a column."""
            return f"{cls.table}.{name}"

    class User(Model):
        table = "users"

    model: Any = Model
    user: Any = User
    assert (model.column("id"), user.column("id"), user().column(name="id")) == ("models.id", "users.id", "users.id")
    assert cache.stats.load_success == 2
    assert user.column.key("id") == user().column.key("id") != model.column.key("id")
    assert user.column.refresh("id") == "users.id"
    assert (user.column.invalidate("id"), model().column.invalidate("id")) == (True, True)
    assert len(cache) == 0
    assert str(inspect.signature(user.column)) == "(name: 'str') -> 'str'"
    assert user.column.__doc__ == "Return a column."


def test_class_methods_with_cached_below_are_kept_too() -> None:
    cache = InMemoryCache()

    class Model:
        table = "models"

        @classmethod
        @cache.cached
        def column(cls, name: str) -> str:
            return f"{cls.table}.{name}"

    class User(Model):
        table = "users"

    model: Any = Model
    user: Any = User
    for _ in range(2):
        assert (model.column("id"), user.column("id"), user().column("id")) == ("models.id", "users.id", "users.id")
    assert cache.stats.load_success == 2
    assert user.column.invalidate(User, "id"), "there, the class is an argument"
    with pytest.raises(TypeError, match=r"first argument of .*column is its class; cached above @classmethod"):
        user.column.key("id")


def test_static_methods_are_functions_with_cached_above_or_below() -> None:
    cache = InMemoryCache()
    calls: list[str] = []

    class Model:
        @cache.cached
        @staticmethod
        def above(name: str) -> str:
            calls.append(name)
            return f"'{name}'"

        @staticmethod
        @cache.cached
        def below(name: str) -> str:
            calls.append(name)
            return f"'{name}'"

    class User(Model):
        pass

    model: Any = Model
    for name in ("above", "below"):
        methods = [getattr(owner, name) for owner in (model, model(), User, User())]
        assert [method("id") for method in methods] == ["'id'"] * 4
        assert len({method.key(name="id") for method in methods}) == 1
        assert (methods[1].refresh("id"), methods[3].invalidate("id")) == ("'id'", True)
        assert str(inspect.signature(methods[1])) == "(name: 'str') -> 'str'"
    assert calls == ["id"] * 4


def test_a_property_stands_on_top() -> None:
    cache = InMemoryCache()

    class Shop:
        asked = 0

        @property
        @cache.cached(key_self=lambda _: "one")
        def price(self) -> int:
            self.asked += 1
            return self.asked

        @cached_property
        @cache.cached(key_self=lambda _: "one")
        def offer(self) -> int:
            return self.price

    shop: Any = Shop()
    assert [shop.price, shop.price, shop.offer, Shop().price] == [1, 1, 1, 1]
    assert len(cache) == 2


@pytest.mark.parametrize("is_above", [True, False])
def test_abstract_methods_stay_abstract(is_above: bool) -> None:  # noqa: FBT001 - one of two orders
    cache = InMemoryCache()

    def load(self: Any) -> int:
        raise NotImplementedError

    load.__qualname__ = "Source.load"
    keeping = cache.cached(key_self=lambda _: 1)
    decorated: Any = keeping(abstractmethod(load)) if is_above else abstractmethod(keeping(load))

    class Source(ABC):  # noqa: B024 - it has one
        load = decorated

    class Real(Source):
        def load(self) -> int:
            return 1

    with pytest.raises(TypeError, match="abstract"):
        Source()
    assert Real().load() == 1


def test_a_method_of_a_class_in_a_function_is_a_method() -> None:
    cache = aio.InMemoryCache()

    class Outer:
        class Inner:
            def __cache_key__(self) -> int:
                return 1

            @cache.blocking.cached
            def load(self) -> int:
                return 1

    assert Outer.Inner().load() == 1


def test_a_function_with_self_outside_of_a_class_is_a_function() -> None:
    @CACHE.cached(key="{self}")
    def load(self: int) -> int:
        return self

    assert load(7) == 7
    assert CACHE.get("7") == 7


def test_an_object_that_says_nothing_reliable_is_named() -> None:
    with pytest.raises(AttributeError, match="city"):
        Shop.by_name(object())  # type: ignore[arg-type]
    assert len(CACHE) == 0


def test_an_object_is_not_kept_alive_by_its_results() -> None:
    class Holder:
        def __cache_key__(self) -> int:
            return 1

        @CACHE.cached
        def load(self) -> int:
            return 1

    holder = Holder()
    watch = weakref.ref(holder)
    assert holder.load() == 1
    del holder
    gc.collect()
    assert watch() is None


def test_methods_may_be_kept_in_two_caches() -> None:
    near, far = InMemoryCache(), InMemoryCache()
    calls: list[str] = []

    class Remote:
        def __cache_key__(self) -> int:
            return 1

        @near.cached(ttl=10)
        @far.cached(ttl=100)
        def load(self, name: str) -> str:
            calls.append(name)
            return name

        @near.cached
        @far.cached
        def pages(self, count: int) -> Iterator[int]:
            calls.append("pages")
            yield from range(count)

    remote: Any = Remote()
    for _ in range(2):
        assert remote.load("a") == "a"
        assert list(remote.pages(2)) == [0, 1]
        near.clear()
    assert calls == ["a", "pages"]
    assert (len(near), len(far)) == (0, 2)
    assert str(inspect.signature(remote.load)) == "(name: 'str') -> 'str'"
