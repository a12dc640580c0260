"""API keys: what is one, what is right, and how they are read."""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from cachery import CacheValueError
from cachery.integrations.fastapi import keys
from cachery.integrations.fastapi.keys import KeyRing, KeySource, keys_shown

LENGTHS = [1, 7, 8, 9, 63, 64, 65, 1000, 100_000]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_wrong_key_of_any_length_is_wrong(length: int) -> None:
    ring = KeyRing.of(["a" * 64, "b" * 8])
    assert not ring.has_any([b"c" * length])
    assert ring.has_any([b"a" * length]) == (length == 64)
    assert ring.has_any([b"b" * length]) == (length == 8)


def test_each_key_is_compared_with_each_shown_whatever_was_right_before(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def noting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare_digest(one, other)

    monkeypatch.setattr(keys, "compare_digest", noting)
    assert KeyRing.of(["right", "another", "third"]).has_any([b"right", b"wrong and much longer than any"])
    assert compared == [(32, 32)] * 6


@pytest.mark.parametrize("key", ["schlüssel", "ключ", "鍵鍵", "naïve key"])
def test_keys_of_other_alphabets_are_their_bytes(key: str) -> None:
    ring = KeyRing.of(key)
    assert ring.has_any([key.encode()])
    assert not ring.has_any([key.encode()[:-1], key.encode() + b"x"])


def test_bytes_that_are_no_text_are_wrong_and_harmless() -> None:
    assert not KeyRing.of("key").has_any([b"\xff\xfe", b"", b"\x00"])


def test_a_key_of_the_environment_that_is_no_text_is_its_bytes() -> None:
    assert KeyRing.of(b"caf\xe9".decode("utf-8", "surrogateescape")).has_any([b"caf\xe9"])


@pytest.mark.parametrize("written", [None, "", "  ", [], [""], ["", " \n"], ()])
def test_an_empty_key_is_none(written: Any) -> None:
    ring = KeyRing.of(written)
    assert not ring
    assert not ring.has_any([b"", b" "])


def test_space_around_a_key_does_not_count() -> None:
    assert KeyRing.of(" key\n").has_any([b"key"])


@pytest.mark.parametrize("written", [7, b"bytes", [7], [b"bytes"], {"admin": "key"}, ["good", "two\nlines"], "a\x00b"])
def test_what_no_header_can_carry_is_refused_and_not_shown(written: Any) -> None:
    with pytest.raises(CacheValueError, match="API key") as failure:
        KeyRing.of(written)
    assert "lines" not in str(failure.value)
    assert "bytes" not in str(failure.value).replace("not bytes", "")


def test_a_ring_does_not_show_its_keys() -> None:
    assert repr(KeyRing.of("secret-key")) == "KeyRing()"


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ([], []),
        ([(b"Authorization", b"bearer  key ")], [b"key"]),
        ([(b"authorization", b"Bearer")], [b""]),
        ([(b"authorization", b"Basic key")], [b""]),
        ([(b"authorization", b"key")], [b""]),
        ([(b"x-api-key", b" key ")], [b"key"]),
        ([(b"x-api-key", b"")], [b""]),
        ([(b"x-api-key", b"one"), (b"x-api-key", b"two")], [b"one", b"two"]),
    ],
)
def test_what_a_request_shows(headers: list[tuple[bytes, bytes]], shown: list[bytes]) -> None:
    assert keys_shown(headers) == shown


def test_keys_are_read_at_each_request_by_whatever_function() -> None:
    now = ["first"]

    async def awaited() -> list[str]:
        return now

    class Awaiting:
        async def __call__(self) -> list[str]:
            return now

    async def main() -> None:
        for read in (awaited, Awaiting(), lambda: now, lambda: now[0]):
            now[:] = ["first"]
            source = KeySource(read)
            assert (await source.ring()).has_any([b"first"])
            now[:] = ["second"]
            assert not (await source.ring()).has_any([b"first"])
            assert (await source.ring()).has_any([b"second"])

    asyncio.run(main())
