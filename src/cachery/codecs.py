"""From what a constructor is given to a codec: serializer, compression, encryption, secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cachery.exceptions import CacheValueError
from cachery.model.sizes import Size, bytes_of
from cachery.serializers.compression import Compression
from cachery.serializers.encryption import Encryption
from cachery.serializers.keyring import Keyring, Secret, user_secret
from cachery.serializers.pipeline import Codec, Recipe
from cachery.serializers.registry import create_serializer
from cachery.serializers.serializer import CacheSerializer
from cachery.settings import from_environment

__all__ = ["EncryptionKeys", "SerializerChoice", "build_codec"]

SerializerChoice: TypeAlias = str | CacheSerializer
EncryptionKeys: TypeAlias = str | bytes | Sequence[str | bytes]


def build_codec(  # noqa: PLR0913 - what a cache is made with, all by name
    *,
    serializer: SerializerChoice,
    compression: str | None,
    compression_threshold: Size,
    encryption: EncryptionKeys | None,
    secret: Secret | None,
    max_value_bytes: Size,
    name: str,
    is_shared: bool = False,
) -> Codec:
    """Return what writes and reads the records of the cache ``name``.

    ``secret``: ``None`` for ``CACHERY_SECRET``, or else the key of this user; what is shared by machines, of which each
    has users of its own, then carries no signature.
    """
    if not isinstance(serializer, str | CacheSerializer):
        raise CacheValueError(f"serializer is a name or a CacheSerializer, not {type(serializer).__name__}")
    limit = bytes_of(max_value_bytes, "max_value_bytes")
    recipe = Recipe(
        create_serializer(serializer) if isinstance(serializer, str) else serializer,
        None if compression is None else Compression(compression, limit=limit),
        bytes_of(compression_threshold, "compression_threshold"),
        None if encryption is None else Encryption(encryption),
        limit,
    )
    if recipe.serializer.name == "msgpack":
        import cachery.kept_failures  # noqa: PLC0415, F401 - what only this serializer has to be told of

    if secret is None:
        secret = from_environment("CACHERY_SECRET") or (None if is_shared else user_secret())
    return Codec(recipe, None if secret is None else Keyring(secret, name))
