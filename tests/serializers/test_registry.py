"""Serializers are had by name; a wrong name or option is said at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cachery
from cachery import serializers
from cachery.exceptions import CacheValueError
from cachery.serializers import (
    CacheSerializer,
    CompressedSerializer,
    JSONSerializer,
    MsgpackSerializer,
    PickleSerializer,
    StringSerializer,
    TypedSerializer,
    create_serializer,
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("json", JSONSerializer),
        ("pickle", PickleSerializer),
        ("msgpack", MsgpackSerializer),
        ("string", StringSerializer),
        ("typed", TypedSerializer),
    ],
)
def test_each_is_made_by_its_name(name: str, kind: type[CacheSerializer]) -> None:
    serializer = create_serializer(name)
    assert type(serializer) is kind
    assert serializer.name == name
    compressed = create_serializer(name, compress=True)
    assert isinstance(compressed, CompressedSerializer)
    assert type(compressed.base) is kind


def test_without_a_name_it_is_json() -> None:
    assert type(create_serializer()) is JSONSerializer


def test_options_go_to_the_serializer_and_to_the_compression() -> None:
    made: Any = create_serializer("json", compress=True, indent=2, compression_level=9, limit=10)
    assert (made.level, made.base.indent) == (9, 2)
    assert create_serializer("pickle", protocol=2).protocol == 2  # type: ignore[attr-defined]
    assert create_serializer("string", encoding="ascii").encoding == "ascii"  # type: ignore[attr-defined]
    beneath = PickleSerializer()
    assert create_serializer("typed", base_serializer=beneath).base is beneath  # type: ignore[attr-defined]


def test_one_that_is_given_is_taken_as_it_is() -> None:
    mine = JSONSerializer()
    assert create_serializer(mine) is mine
    compressed: Any = create_serializer(mine, compress=True, compression_level=1)
    assert (compressed.base, compressed.level) == (mine, 1)
    with pytest.raises(CacheValueError, match="takes no options: indent"):
        create_serializer(mine, indent=2)


@pytest.mark.parametrize("name", ["JSON", "xml", "", None, [], 3, JSONSerializer])
def test_an_unknown_name_is_refused_with_the_names_there_are(name: Any) -> None:
    with pytest.raises(
        CacheValueError, match=r"^Unknown serializer: .*; there are json, msgpack, pickle, string, typed$"
    ):
        create_serializer(name)


def test_an_option_that_a_serializer_has_not_is_refused() -> None:
    with pytest.raises(CacheValueError, match="options of serializer 'json' are wrong"):
        create_serializer("json", protocol=2)
    with pytest.raises(CacheValueError, match="options of serializer 'json' are wrong"):
        create_serializer("json", compression_level=2)


def test_the_room_shows_its_names() -> None:
    assert {getattr(serializers, name).__name__ for name in serializers.__all__} == set(serializers.__all__)
    assert set(serializers.__all__) <= set(dir(serializers))


def run(code: str) -> str:
    """Return what a new interpreter prints that has the standard library only."""
    environment = {**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_room_needs_the_standard_library_only() -> None:
    imports = "import cachery.serializers as room; [getattr(room, name) for name in room.__all__]"
    more = "import cachery.serializers.compression, cachery.serializers.encryption"
    uses = "room.create_serializer('json', True).serialize([1]); print('done')"
    assert run(f"{imports}; {more}; {uses}") == "done\n"


@pytest.mark.parametrize(
    ("statement", "module", "extra"),
    [
        ("from cachery.serializers import MsgpackSerializer as made; made()", "msgspec", "msgpack"),
        ("from cachery.serializers import create_serializer as made; made('msgpack')", "msgspec", "msgpack"),
        (
            "from cachery.serializers.compression import Compression as c; c('zstd', limit=1)",
            "zstandard",
            "compression",
        ),
        ("from cachery.serializers.compression import Compression as c; c('lz4', limit=1)", "lz4", "compression"),
        ("from cachery.serializers.encryption import Encryption as e; e('a secret of mine')", "cryptography", "crypto"),
    ],
)
def test_an_extra_that_is_missing_is_named(statement: str, module: str, extra: str) -> None:
    first, _, rest = statement.partition("; ")
    printed = run(f"{first}\ntry:\n    {rest}\nexcept ImportError as error:\n    print(error)")
    assert printed == f'{module} is not installed: pip install "cachery[{extra}]"\n'
