"""The demo shows what really happens: statements that ran, ratios of real traces, times of this machine."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import cachery
from cachery.cli import demo
from cachery.cli.app import app
from cachery.cli.quick_start import run_quick_start
from cachery.manager import default_manager
from cachery.policies import POLICIES

PLAIN = {"CACHE_BACKEND": None, "CACHE_TTL_DEFAULT": None, "CACHE_MAX_SIZE": None, "FORCE_COLOR": None, "COLUMNS": None}


@pytest.fixture(scope="module")
def quick_demo() -> str:
    result = CliRunner().invoke(app, ["demo", "--quick"], env=PLAIN)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_the_first_steps_are_run(quick_demo: str) -> None:
    assert ">>> cache.get(\"prompt_hash_123\")\n{'response': 'Hello world'}\n" in quick_demo
    assert ">>> stats.text()\n'Cache: 1/2 hits (50.0%), 0/1000 entries, 0 evictions'\n" in quick_demo


@pytest.mark.parametrize("heading", ["Hit ratios of web07", "Hit ratios of multi2"])
def test_every_policy_stands_beside_the_optimum(quick_demo: str, heading: str) -> None:
    table = quick_demo.partition(heading)[2].partition("* the best policy")[0]
    names = [line.split()[0] for line in table.splitlines() if "%" in line]
    assert names == [*POLICIES, "optimal"]
    assert table.splitlines()[0].endswith("10,000 requests")
    assert table.count("%") == 3 * len(names)


def test_the_best_policy_of_each_size_is_marked(quick_demo: str) -> None:
    table = quick_demo.partition("Hit ratios of web07")[2].partition("* the best policy")[0]
    assert table.count("*") == 3


def test_the_cost_of_a_hit_names_the_mode(quick_demo: str) -> None:
    assert f"the cache runs {'compiled' if cachery.compiled else 'interpreted'}" in quick_demo
    assert all(f"InMemoryCache.get, {policy}" in quick_demo for policy in POLICIES)


def test_interpreted_it_tells_what_compiling_would_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "compiled", False)
    shown = CliRunner().invoke(app, ["demo", "--quick"], env=PLAIN).stdout
    assert "the cache runs interpreted" in shown
    assert "Compiled it is ten times faster" in shown


def test_a_pipe_gets_plain_text(quick_demo: str) -> None:
    assert all(letter.isprintable() or letter == "\n" for letter in quick_demo)


def test_a_terminal_gets_colours() -> None:
    result = CliRunner().invoke(app, ["demo", "--quick"], env={**PLAIN, "FORCE_COLOR": "1"}, color=True)
    assert "\x1b[1;32m" in result.stdout


def test_the_results_follow_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_MAX_SIZE", "7")
    shown = dict(run_quick_start())
    assert "0/7 entries" in shown["stats.text()"]


def test_the_first_steps_leave_no_cache_behind() -> None:
    first = list(run_quick_start())
    assert not default_manager().has_cache("llm_responses")
    assert first == list(run_quick_start())
