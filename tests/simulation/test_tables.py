"""Tables are traces too: keys and sizes from columns, found by the header, by name or by number."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import pytest

from cachery import CacheValueError
from cachery.simulation import Trace, read_sized_trace, read_trace


def test_the_header_says_what_is_what(tmp_path: Path) -> None:
    place = tmp_path / "some.csv"
    place.write_bytes(b'\xef\xbb\xbftime, Size ,Object_ID\n1,10,a\n\n2,0,"b,c"\n')
    assert read_sized_trace(place) == Trace(["a", "b,c"], [10, 0])
    assert read_trace(place) == ["a", "b,c"]


@pytest.mark.parametrize("separator", [",", ";", "\t", " "], ids=["comma", "semicolon", "tab", "space"])
def test_columns_are_separated_in_four_ways(separator: str, tmp_path: Path) -> None:
    place = tmp_path / "some.csv.gz"
    place.write_bytes(gzip.compress("key size\r\na 1\r\nb 2\r\n".replace(" ", separator).encode()))
    assert read_sized_trace(place) == Trace(["a", "b"], [1, 2])


@pytest.mark.parametrize("columns", [["page", "length"], ["Page ", "LENGTH"]])
def test_columns_are_named(columns: list[str]) -> None:
    data = BytesIO(b"id,page,length\n1,home,5\n2,about,7\n")
    assert read_sized_trace(data, columns=columns) == Trace(["home", "about"], [5, 7])


@pytest.mark.parametrize(("columns", "sizes"), [(["2"], None), ("2", None), (["2", "03"], [5, 7])])
def test_columns_are_numbered_where_there_is_no_header(columns: list[str], sizes: list[int] | None) -> None:
    assert read_sized_trace(BytesIO(b"1,home,5\n2,about,7"), columns=columns) == Trace(["home", "about"], sizes)


def test_a_first_line_with_both_names_begins_a_table_whatever_the_name() -> None:
    assert read_sized_trace(BytesIO(b"key,bytes\na,5\n")) == Trace(["a"], [5])
    assert read_trace(BytesIO(b"key\na,5\n")) == ["key", "a,5"]


def test_a_table_without_sizes_has_none(tmp_path: Path) -> None:
    place = tmp_path / "some.tsv"
    place.write_text("when\tkey\n1\ta\n")
    assert read_sized_trace(place) == Trace(["a"])


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        ("key,size\na,1\nb\n", (), "line 3: column 2 is not there, only 1"),
        ("key,size\na,1\n ,2\n", (), "line 3: the key is empty"),
        ("key,size\na,-1\n", (), "line 2: '-1' is no size in bytes"),
        ("key,size\na,many\n", (), "line 2: 'many' is no size in bytes"),
        ('key,size\n"a,1\n', (), "line 2: unexpected end of data"),
        ("time,page\n1,a\n", (), "line 1: no column is called key, id"),
        ("time,page\n1,a\n", ("pages",), "line 1: there is no column 'pages'; there are time, page"),
        ("1,a\n", ("0",), "numbered from 1"),
        ("1,a\n", ("1", "2", "2"), "not 3"),
        ("key,size\n", (), "there is no key"),
        ("", (), "there is no key"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    text: str, columns: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    place = tmp_path / "some.csv"
    place.write_text(text)
    with pytest.raises(CacheValueError, match=r"some\.csv") as refused:
        read_trace(place, columns=columns)
    assert reason in str(refused.value)


@pytest.mark.parametrize("name", ["some.csv", "some.txt"])
def test_what_is_no_text_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.write_bytes(b"key,date\na,1\n\ngr\xf6\xdfe,2\n")
    with pytest.raises(CacheValueError, match="line 4: it is no text in utf-8"):
        read_trace(place)


def test_a_trace_has_as_many_sizes_as_keys() -> None:
    with pytest.raises(CacheValueError, match="2 keys has as many sizes, not 1"):
        Trace(["a", "b"], [1])
