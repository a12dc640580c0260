"""Compressed bytes come back, never as more than agreed on, and never when damaged."""

from __future__ import annotations

import contextlib
import threading
import tracemalloc
import zlib

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cachery.exceptions import CacheValueError
from cachery.serializers.compression import METHODS, Compression

LIMIT = 2**20
TEXT = b"a cup of tea, " * 100
METHOD = pytest.mark.parametrize("method", METHODS)


@METHOD
@given(data=st.binary() | st.binary(max_size=20).map(lambda part: part * 200))
def test_bytes_come_back_as_they_were(method: str, data: bytes) -> None:
    compression = Compression(method, limit=LIMIT)
    assert compression.decompress(compression.compress(data)) == data


@METHOD
def test_what_repeats_itself_gets_smaller_at_every_level(method: str) -> None:
    for level in (None, 0, 1, 9):
        compression = Compression(method, level, limit=LIMIT)
        assert compression.decompress(compression.compress(TEXT)) == TEXT
        assert level == 0 or len(compression.compress(TEXT)) < 200


GOLDEN = {
    "zlib": "789c2b494d0400028a013b",
    "zstd": "28b52ffd2403190000746561394e0644",
    "lz4": "04224d186c400300000000000000290300008074656100000000b079ae7e",
}


@METHOD
def test_the_frames_never_change_so_that_they_are_read_for_ever(method: str) -> None:
    assert Compression(method, limit=LIMIT).decompress(bytes.fromhex(GOLDEN[method])) == b"tea"


def test_the_codes_are_these_for_ever() -> None:
    assert {method: Compression(method, limit=1).code for method in METHODS} == {"zlib": 1, "zstd": 2, "lz4": 3}


def test_other_programs_read_it() -> None:
    made = {method: Compression(method, limit=LIMIT).compress(TEXT) for method in METHODS}
    assert zlib.decompress(made["zlib"]) == TEXT
    assert zstandard.ZstdDecompressor().decompress(made["zstd"]) == TEXT
    assert lz4.frame.decompress(made["lz4"]) == TEXT


@METHOD
def test_the_limit_is_the_most_that_comes_out(method: str) -> None:
    data = Compression(method, limit=LIMIT).compress(b"x" * 1000)
    assert Compression(method, limit=1000).decompress(data) == b"x" * 1000
    with pytest.raises(ValueError, match=f"{method} data inflates to more than the limit of 999 bytes"):
        Compression(method, limit=999).decompress(data)


def bombs() -> dict[str, bytes]:
    zeros = bytes(50 * 2**20)
    hiding = zstandard.ZstdCompressor(level=19, write_content_size=False)
    return {
        "zlib": zlib.compress(zeros, 9),
        "zstd": zstandard.ZstdCompressor(level=19).compress(zeros),
        "zstd hiding its size": hiding.compress(zeros),
        "lz4": lz4.frame.compress(zeros, store_size=True),
        "lz4 hiding its size": lz4.frame.compress(zeros, store_size=False),
    }


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_the_memory(name: str) -> None:
    compression = Compression(name.partition(" ")[0], limit=LIMIT)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than the limit"):
            compression.decompress(BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 25 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_allowed_to_be_large_is_inflated(name: str) -> None:
    compression = Compression(name.partition(" ")[0], limit=50 * 2**20)
    assert len(compression.decompress(BOMBS[name])) == 50 * 2**20


@METHOD
@pytest.mark.parametrize("content", [b"", b"tea", TEXT])
def test_damage_is_found_wherever_it_is(method: str, content: bytes) -> None:
    compression = Compression(method, limit=LIMIT)
    data = compression.compress(content)
    damaged = [data[:end] for end in range(len(data))]
    damaged += [data + b"\0", data + data, b"", b"tea"]
    for wrong in damaged:
        with pytest.raises(ValueError, match=f"{method} data"):
            compression.decompress(wrong)


def test_a_frame_that_hides_its_size_is_read_to_its_end_and_no_further() -> None:
    frame = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(TEXT)
    compression = Compression("zstd", limit=LIMIT)
    assert compression.decompress(frame) == TEXT
    for wrong in (frame[:-1], frame + b"x", frame + b"x" * 1000):
        with pytest.raises(ValueError, match="zstd data"):
            compression.decompress(wrong)


def test_a_frame_of_nothing_at_all_is_no_data() -> None:
    skipped = b"\x50\x2a\x4d\x18\x00\x00\x00\x00"
    for method in ("zstd", "lz4"):
        with pytest.raises(ValueError, match=f"{method} data is damaged"):
            Compression(method, limit=LIMIT).decompress(skipped)


@METHOD
@given(data=st.data())
def test_a_changed_byte_never_gives_other_bytes(method: str, data: st.DataObject) -> None:
    compression = Compression(method, limit=LIMIT)
    whole = bytearray(compression.compress(TEXT))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ValueError):
        assert compression.decompress(bytes(whole)) == TEXT  # some bits, of the header, mean nothing


@METHOD
@given(data=st.binary(max_size=100))
def test_any_bytes_are_refused_or_inflated_but_nothing_else(method: str, data: bytes) -> None:
    magic = {"zlib": b"\x78\x9c", "zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18"}[method]
    compression = Compression(method, limit=LIMIT)
    for attempt in (data, magic + data):
        with contextlib.suppress(ValueError):
            assert len(compression.decompress(attempt)) <= LIMIT


def test_one_object_serves_many_threads() -> None:
    compression = Compression("zstd", limit=LIMIT)
    results: list[bool] = []

    def work(number: int) -> None:
        content = bytes([number]) * 50_000
        results.extend(compression.decompress(compression.compress(content)) == content for _ in range(50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


@pytest.mark.parametrize("method", ["brotli", "ZLIB", "", None, []])
def test_an_unknown_method_is_refused_with_the_methods_there_are(method: object) -> None:
    with pytest.raises(CacheValueError, match=r"^Unknown compression: .*; there are zlib, zstd, lz4$"):
        Compression(method, limit=1)  # type: ignore[arg-type]


def test_levels_and_limits_are_checked() -> None:
    for method, level in (("zlib", 10), ("zstd", 23), ("lz4", 17), ("zstd", True), ("zlib", 1.5)):
        with pytest.raises(CacheValueError, match=f"the level of {method} is"):
            Compression(method, level, limit=1)  # type: ignore[arg-type]
    for limit in (0, -1, 1.5, True, None):
        with pytest.raises(CacheValueError, match="limit is a number of bytes"):
            Compression("zlib", limit=limit)  # type: ignore[arg-type]


def test_it_says_what_it_is() -> None:
    assert repr(Compression("zlib", limit=10)) == "Compression('zlib', 6, limit=10)"
