"""Bytes become 32 letters."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from cachery.keys.digest import digest


@given(st.binary(max_size=300))
def test_it_is_32_hexadecimal_letters_and_always_the_same(data: bytes) -> None:
    assert re.fullmatch("[0-9a-f]{32}", digest(data))
    assert digest(data) == digest(bytes(data))


@given(st.binary(), st.binary())
def test_other_bytes_have_another(one: bytes, other: bytes) -> None:
    assert (digest(one) == digest(other)) is (one == other)


def test_threads_do_not_mix_their_bytes() -> None:
    inputs = [bytes([number]) * 10_000 for number in range(64)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(digest, inputs)) == [digest(data) for data in inputs]
