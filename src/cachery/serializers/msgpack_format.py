"""Values as MessagePack, with their types: what other libraries write as a list comes back as the tuple it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import Any

from cachery.exceptions import CacheSerializationError
from cachery.serializers.extension_types import (
    DICT,
    FROZENSET,
    LARGE_INT,
    LEAVES,
    LEAVES_BY_CODE,
    ODD_TEXT,
    REGISTERED,
    SET,
    TUPLE,
    Leaf,
    int_bytes,
    text_bytes,
)
from cachery.serializers.extras import import_extra
from cachery.serializers.plain import is_plain
from cachery.serializers.refusals import DEEPEST, Refusal, damaged, step_to, too_deep, type_name
from cachery.serializers.registered import how_to_register, registration_named, registration_of
from cachery.serializers.serializer import CacheSerializer

__all__ = ["MsgpackSerializer"]

_NATIVE = frozenset({type(None), bool, int, float, str, bytes})
"""Types that MessagePack has. An ``int`` beyond 64 bits and a lone surrogate it has not: msgspec finds those out."""

_SURE = _NATIVE - {int, str}


class MsgpackSerializer(CacheSerializer):
    r"""MessagePack that keeps types apart; needs ``pip install "cachery[msgpack]"``.

    Carries ``None``, ``bool``, ``int``, ``float``, ``complex``, ``str``, ``bytes``, ``bytearray``, ``list``, ``tuple``,
    ``set``, ``frozenset``, ``dict`` with any of these as keys, ``date``, ``time``, ``datetime``, ``timedelta``,
    ``Decimal``, ``UUID``, and what was registered (``cachery.serializers.register``). Another type, subclasses of these
    included, raises ``CacheSerializationError``. Reading runs no code but that of registered types.

    Plain data is ordinary MessagePack, for any reader; the rest are extensions (``extension_types``). A zone that is
    neither ``ZoneInfo`` nor fixed comes back as the offset that it had at that time.

    >>> serializer = MsgpackSerializer()
    >>> serializer.serialize({"a": 1})
    b'\x81\xa1a\x01'
    >>> serializer.deserialize(serializer.serialize({(1, 2): {3.5}}))
    {(1, 2): {3.5}}
    """

    name = "msgpack"

    def __init__(self) -> None:
        form = import_extra("msgspec", "msgpack").msgpack
        pack: Callable[[Any], bytes] = form.Encoder().encode
        self._pack = pack
        self._quick = _Writer(_NATIVE, pack, form.Ext)
        self._thorough = _Writer(_SURE, pack, form.Ext)
        self._unpack: Callable[[bytes], Any] = _reading(form.Decoder)

    def serialize(self, value: Any) -> bytes:
        """Return ``value`` as MessagePack. Raises ``CacheSerializationError`` for what it cannot carry."""
        try:
            return self._written(value)
        except Refusal as refusal:
            raise refusal.error() from refusal.__cause__
        except RecursionError:
            raise too_deep(value).error() from None
        except Exception as error:
            message = f"the value cannot be written as MessagePack: {type(error).__name__}: {error}"
            raise CacheSerializationError(message, value_type=type_name(type(value))) from error

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError`` for what cannot be read, and for unknown names."""
        try:
            return self._unpack(data)
        except Exception as error:
            raise damaged("MessagePack", error) from error

    def _written(self, value: Any) -> bytes:
        try:
            return self._pack(value if is_plain(value, _NATIVE, _NATIVE) else self._quick.form_of(value))
        except (OverflowError, UnicodeEncodeError):  # a large int, a lone surrogate: look at each
            return self._pack(self._thorough.form_of(value))


class _Writer:
    """Turns values into what msgspec writes without changing a type; those of the types ``plain`` stay as they are."""

    __slots__ = ("_extension", "_pack", "_plain")

    def __init__(self, plain: frozenset[type], pack: Callable[[Any], bytes], extension: Any) -> None:
        self._plain = plain
        self._pack = pack
        self._extension = extension

    def form_of(self, value: Any, depth: int = DEEPEST) -> Any:
        kind = type(value)
        if kind in self._plain:
            return value
        leaf = LEAVES.get(kind)
        if leaf is not None:
            return self._leaf(value, leaf)
        if not depth and kind not in _NATIVE:
            raise too_deep(value)
        return _FORMS.get(kind, _Writer.form_of_registered)(self, value, depth - 1)

    def form_of_int(self, value: int, _: int) -> Any:
        return value if -(2**63) <= value < 2**64 else self._extension(LARGE_INT, int_bytes(value))

    def form_of_str(self, value: str, _: int) -> Any:
        try:
            value.encode()
        except UnicodeEncodeError:
            return self._extension(ODD_TEXT, text_bytes(value))
        return value

    def form_of_list(self, value: list[Any], depth: int) -> Any:
        return self._members(value, depth)

    def form_of_tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return self._array(TUPLE, self._members(value, depth))

    def form_of_set(self, value: set[Any], depth: int) -> Any:
        return self._array(SET, self._members(value, depth))

    def form_of_frozenset(self, value: frozenset[Any], depth: int) -> Any:
        return self._array(FROZENSET, self._members(value, depth))

    def form_of_dict(self, value: dict[Any, Any], depth: int) -> Any:
        keys = self._members(value.keys(), depth)
        members = self._members(value.values(), depth)
        if not _NATIVE.issuperset(map(type, keys)):
            return self._array(DICT, chain.from_iterable(zip(keys, members, strict=True)))
        if type(keys) is list or type(members) is list:
            return dict(zip(keys, members, strict=True))
        return value

    def form_of_registered(self, value: Any, depth: int) -> Any:
        registration = registration_of(type(value))
        if registration is None:
            claim = f"is of type {type_name(type(value))}, which msgpack cannot carry"
            raise Refusal(value, claim, how_to_register(type(value)))
        content = self.form_of(registration.taken_apart(value), depth)
        return self._array(REGISTERED, (registration.name, content))

    def _array(self, code: int, forms: Iterable[Any]) -> Any:
        return self._extension(code, self._pack(list(forms)))

    def _leaf(self, value: Any, leaf: Leaf) -> Any:
        try:
            return self._extension(leaf.code, leaf.write(value))
        except Exception as error:
            claim = f"of type {type_name(type(value))} cannot be carried ({error})"
            raise Refusal(value, claim, 'write serializer="pickle"') from error

    def _members(self, members: Collection[Any], depth: int) -> Collection[Any]:
        """Return the forms of ``members`` in a new list, or ``members`` themselves if all may stay as they are."""
        plain = self._plain
        if plain.issuperset(map(type, members)):
            return members
        forms = []
        member = None
        try:
            for member in members:
                forms.append(member if type(member) in plain else self.form_of(member, depth))
        except Refusal as refusal:
            refusal.within(step_to(member, members))
            raise
        return forms


_FORMS: dict[type, Callable[[_Writer, Any, int], Any]] = {
    int: _Writer.form_of_int,
    str: _Writer.form_of_str,
    list: _Writer.form_of_list,
    tuple: _Writer.form_of_tuple,
    set: _Writer.form_of_set,
    frozenset: _Writer.form_of_frozenset,
    dict: _Writer.form_of_dict,
}


# --- Reading.


def _reading(decoder: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Return what reads MessagePack with our extensions; it raises anything for what is none."""

    def read_extension(code: int, data: memoryview) -> Any:
        read = LEAVES_BY_CODE.get(code)
        if read is not None:
            return read(bytes(data))  # a copy: slices of the view of msgspec 0.19 reach beyond its end
        build = _BUILDERS.get(code)
        if build is None:
            raise ValueError(f"extension {code} is not ours")
        members = unpack(data)
        if type(members) is not list:
            raise ValueError(f"extension {code} holds no array")
        return build(members)

    unpack: Callable[[bytes | memoryview], Any] = decoder(ext_hook=read_extension).decode
    return unpack


def _build_dict(members: list[Any]) -> dict[Any, Any]:
    return dict(zip(members[::2], members[1::2], strict=True))


def _build_registered(members: list[Any]) -> Any:
    name, content = members
    return registration_named(name).put_together(content)


_BUILDERS: dict[int, Callable[[list[Any]], Any]] = {
    TUPLE: tuple,
    SET: set,
    FROZENSET: frozenset,
    DICT: _build_dict,
    REGISTERED: _build_registered,
}
