"""How a value becomes bytes, and comes back as what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachery._lazy import lazy_exports

if TYPE_CHECKING:
    from cachery.serializers.json_format import JSONSerializer
    from cachery.serializers.msgpack_format import MsgpackSerializer
    from cachery.serializers.pickle_format import PickleSerializer
    from cachery.serializers.registered import register
    from cachery.serializers.registry import create_serializer
    from cachery.serializers.serializer import CacheSerializer
    from cachery.serializers.text_format import StringSerializer, TypedSerializer
    from cachery.serializers.wrappers import Base64Serializer, CompressedSerializer

__all__ = [
    "Base64Serializer",
    "CacheSerializer",
    "CompressedSerializer",
    "JSONSerializer",
    "MsgpackSerializer",
    "PickleSerializer",
    "StringSerializer",
    "TypedSerializer",
    "create_serializer",
    "register",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Base64Serializer": "cachery.serializers.wrappers:Base64Serializer",
        "CacheSerializer": "cachery.serializers.serializer:CacheSerializer",
        "CompressedSerializer": "cachery.serializers.wrappers:CompressedSerializer",
        "JSONSerializer": "cachery.serializers.json_format:JSONSerializer",
        "MsgpackSerializer": "cachery.serializers.msgpack_format:MsgpackSerializer",
        "PickleSerializer": "cachery.serializers.pickle_format:PickleSerializer",
        "StringSerializer": "cachery.serializers.text_format:StringSerializer",
        "TypedSerializer": "cachery.serializers.text_format:TypedSerializer",
        "create_serializer": "cachery.serializers.registry:create_serializer",
        "register": "cachery.serializers.registered:register",
    },
)
