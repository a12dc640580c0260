"""``cachery simulate``: from a file of keys to a policy and a size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.commands import json_of, run
from tests.cli.test_completion import completed

from cachery.policies import POLICIES

pytestmark = pytest.mark.usefixtures("place")
LOOP = "".join(f"page:{number}\n" for number in range(100)) * 5


@pytest.fixture
def trace(place: Path) -> Path:
    path = place / "pages.trace"
    path.write_text(LOOP)
    return path


def test_all_policies_stand_beside_the_optimum(trace: Path) -> None:
    shown = run("simulate", trace, "--size", 50, "--size", "100%")
    assert shown.startswith("Hit ratios by entries: 500 requests, 100 keys\n")
    names = [line.split()[0] for line in shown.splitlines() if line.count("%") == 2 and "of the" not in line]
    assert names == [*POLICIES, "optimal"]
    assert "80.00% *" in shown
    assert "Recommended: lru at 100 entries: 80.0 %, 100 % of the optimum; twice the size brings 0.0 points" in shown
    assert "by bytes" not in shown


def test_sizes_come_from_the_trace_unless_they_are_named(trace: Path) -> None:
    assert [each["size"] for each in json_of("simulate", trace)["optimal"]] == [1, 5, 10, 25, 50]


def test_json_says_the_same(trace: Path) -> None:
    said = json_of("simulate", trace, "--size", "1,00", "--size", "10%", "--policy", "lru", "--policy", "lru")
    assert (said["requests"], said["distinct_keys"]) == (500, 100)
    assert [(each["policy"], each["size"], each["hit_ratio"]) for each in said["results"]] == [
        ("lru", 10, 0.0),
        ("lru", 100, 0.8),
    ]
    assert said["optimal"][1] == {"size": 100, "hits": 400, "hit_ratio": 0.8}
    assert (said["recommendation"]["policy"], said["recommendation"]["size"]) == ("lru", 100)
    assert said["recommendation"]["reason"].startswith("80.0 %")


def test_standard_input_may_be_a_table_with_sizes() -> None:
    typed = "time,key,size\n1,a,100\n2,b,5000\n3,a,100\n"
    said = json.loads(run("simulate", "-", "--size", "2", "--json", typed=typed))
    assert said["results"][0]["byte_hit_ratio"] == pytest.approx(100 / 5200)
    assert "Byte hit ratios" in run("simulate", "-", "--size", "2", typed=typed)


def test_caches_may_be_bounded_in_bytes() -> None:
    typed = "key,size\n" + "a,1000\nb,3000\n" * 5
    said = json.loads(run("simulate", "-", "--bytes", "--size", "1KiB", "--size", "100%", "--json", typed=typed))
    assert (said["unit"], [each["size"] for each in said["optimal"]]) == ("bytes", [1024, 4000])
    assert [each["hits"] for each in said["results"] if each["policy"] == "lru"] == [4, 8]
    shown = run("simulate", "-", "--bytes", "--size", "1KiB", typed=typed)
    assert "Hit ratios by size in bytes" in shown
    assert "1.0 KiB" in shown
    assert "bound (PFOO)" in shown


def test_columns_are_named_or_numbered() -> None:
    typed = "1,a,100\n2,b,5000\n"
    said = json.loads(run("simulate", "-", "--columns", "2,3", "--size", "1", "--json", typed=typed))
    assert said["results"][0]["bytes_requested"] == 5100


def test_a_picture_is_drawn(trace: Path, place: Path) -> None:
    assert "The curves are in curves.svg" in run("simulate", trace, "--plot", "curves.svg")
    drawn = (place / "curves.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "pages.trace" in drawn
    run("simulate", "-", "--size", 1, "--plot", place / "typed.svg", "--json", typed="a\na\n")
    assert "<title>Hit ratio by cache size</title>" in (place / "typed.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "0"], "1 or more, or a share of the keys such as 5%, not '0'"),
        (["--size", "many"], "not 'many'"),
        (["--size", "-5%"], "not '-5%'"),
        (["--size", "inf%"], "not 'inf%'"),
        (["--size", "nan%"], "not 'nan%'"),
        (["--size", "64MiB"], "not '64MiB'; bytes need --bytes"),
        (["--size", "64M"], "not '64M'; bytes need --bytes"),
        (["--bytes"], "the trace has no sizes"),
        (["--policy", "arc"], "Unknown policy: 'arc'"),
        (["--plot", "curves.png"], "a picture is an .svg file, not 'curves.png'"),
        (["--plot", "none/curves.svg"], "there is no directory 'none'"),
        (["--columns", "page"], "pages.trace': line 1: there is no column 'page'"),
    ],
)
def test_wrong_use_is_one_line(options: list[str], said: str, trace: Path) -> None:
    told = run("simulate", trace, *options, status=2)
    assert told.startswith("cachery: ")
    assert told.count("\n") == 1
    assert said in told


def test_a_picture_that_cannot_be_written_is_one_line(trace: Path, place: Path) -> None:
    (place / "folder.svg").mkdir()
    assert "'folder.svg' cannot be written" in run("simulate", trace, "--plot", "folder.svg", status=2)


def test_a_file_that_is_no_trace_is_told_also_as_json(place: Path) -> None:
    assert "none.trace': No such file" in run("simulate", "none.trace", status=2)
    (place / "bad.csv").write_text("key,size\na,many\n")
    output = run("simulate", "bad.csv", "--json", status=2)
    assert "line 2: 'many' is no size in bytes" in output
    assert "there is no key in the trace" in run("simulate", "-", status=2)


def test_a_shell_completes_policies(place: Path) -> None:
    assert completed(place, "cachery simulate some.trace --policy t") == ["tinylfu", "ttl"]
