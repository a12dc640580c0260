"""Traces are read whatever way they are packed and written, and what is no trace is refused with the file's name."""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import CacheError, CacheValueError
from cachery.simulation import read_trace, shipped_traces

INTEGERS = struct.pack(">5I", 7, 0, 7, 2**32 - 1, 256)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "some.trace"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_text_has_a_key_a_line(place: Path, pack: type[bytes]) -> None:
    place.write_bytes(pack(b"1\n\n2\r\n*\n  key \n1"))
    assert read_trace(place) == ["1", "2", "key", "1"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_integers_are_told_from_text_by_what_they_are(place: Path, pack: type[bytes]) -> None:
    place.write_bytes(pack(INTEGERS))
    assert read_trace(str(place)) == ["7", "0", "7", "4294967295", "256"]


@given(st.lists(st.integers(0, 2**24 - 1), min_size=1))
def test_integers_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, keys: list[int]) -> None:
    place = tmp_path_factory.mktemp("integers") / "some.xz"
    place.write_bytes(lzma.compress(struct.pack(f">{len(keys)}I", *keys), preset=0))
    assert read_trace(place) == [str(key) for key in keys]


def test_keys_are_any_text_in_utf_8(place: Path) -> None:
    place.write_bytes("\ufeffgröße\n用户:42\na b\n**\n".encode())
    assert read_trace(place) == ["größe", "用户:42", "a b", "**"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no key"),
        (b"\n*\n \n", "no key"),
        (gzip.compress(b""), "no key"),
        (INTEGERS[:-1], "19 bytes"),
        (gzip.compress(INTEGERS)[:-9], "end-of-stream"),
        (lzma.compress(INTEGERS)[:-9], "end-of-stream"),
        (b"\x1f\x8b\x08\x00 no gzip at all", ""),
        (b"\xfd7zXZ\x00 no xz at all", ""),
        ("Größe\n".encode("latin-1"), "utf-8"),
        ("1\n2\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_trace_is_refused_by_name(place: Path, data: bytes, reason: str) -> None:
    place.write_bytes(data)
    with pytest.raises(CacheValueError, match=r"some\.trace") as refused:
        read_trace(place)
    assert reason in str(refused.value)
    assert refused.value.context["path"] == str(place)


@pytest.mark.parametrize("name", ["a.gz", "a.xz"])
def test_the_stub_of_a_packed_file_is_no_trace(tmp_path: Path, name: str) -> None:
    pack = gzip.compress if name.endswith(".gz") else lzma.compress
    place = tmp_path / name
    place.write_bytes(pack(INTEGERS)[:4])
    with pytest.raises(CacheValueError, match=name):
        read_trace(place)


def test_every_cut_of_a_packed_trace_is_noticed(tmp_path: Path) -> None:
    place = tmp_path / "cut.xz"
    whole = lzma.compress(INTEGERS)
    for length in range(len(whole)):
        place.write_bytes(whole[:length])
        with pytest.raises(CacheValueError, match=r"cut\.xz"):
            read_trace(place)


def test_a_file_that_is_not_there_is_the_cause(place: Path) -> None:
    with pytest.raises(CacheError, match=r"some\.trace': No such file") as refused:
        read_trace(place)
    assert isinstance(refused.value.__cause__, FileNotFoundError)


def test_a_folder_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(CacheValueError):
        read_trace(tmp_path)


def test_the_shipped_traces_are_whole() -> None:
    traces = {name: read_trace(place) for name, place in shipped_traces().items()}
    assert {name: (len(keys), len(set(keys))) for name, keys in traces.items()} == {
        "multi2": (26_311, 5_684),
        "web07": (76_118, 20_484),
    }
