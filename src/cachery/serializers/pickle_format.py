"""Values as pickles: nearly all that Python has, for bytes that nobody else can have written."""

from __future__ import annotations

import pickle
from typing import Any

from cachery.exceptions import CacheSerializationError, CacheValueError
from cachery.serializers.refusals import damaged, type_name
from cachery.serializers.serializer import CacheSerializer

__all__ = ["PickleSerializer"]


class PickleSerializer(CacheSerializer):
    """Pickles of ``protocol``, by default the newest of this Python. Carries nearly everything, cycles included.

    **Reading a pickle runs what it names.** So this is only ever to be given bytes whose signature was checked, or that
    never left the process: caches of this library sign what they write and refuse the rest.

    Raises ``CacheValueError`` for a protocol that this Python does not have.

    >>> serializer = PickleSerializer()
    >>> serializer.deserialize(serializer.serialize({(1, 2): {"a"}}))
    {(1, 2): {'a'}}
    """

    name = "pickle"
    can_run_code = True

    def __init__(self, protocol: int = pickle.HIGHEST_PROTOCOL) -> None:
        if type(protocol) is not int or not 0 <= protocol <= pickle.HIGHEST_PROTOCOL:
            raise CacheValueError(f"protocol is a number from 0 to {pickle.HIGHEST_PROTOCOL}, not {protocol!r}")
        self.protocol = protocol

    def serialize(self, value: Any) -> bytes:
        """Return ``value`` as a pickle. Raises ``CacheSerializationError``, from the reason, if it has none."""
        try:
            return pickle.dumps(value, self.protocol)
        except Exception as error:
            name = type_name(type(value))
            message = f"a value of type {name} cannot be pickled: {type(error).__name__}: {error}"
            raise CacheSerializationError(message, value_type=name) from error

    def deserialize(self, data: bytes) -> Any:
        """Return the value. Raises ``CacheSerializationError``, from the reason, for what cannot be read."""
        try:
            return pickle.loads(data)  # noqa: S301 - signed data only, says the class
        except Exception as error:
            raise damaged("a pickle", error) from error
