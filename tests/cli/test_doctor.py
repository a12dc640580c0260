"""The doctor tells what is installed and in force, and fails when a setting cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cachery
from cachery.cli import diagnosis
from cachery.cli.app import app
from cachery.cli.extras import EXTRAS, Extra
from cachery.settings import VARIABLES

UNSET: dict[str, str | None] = {**dict.fromkeys(VARIABLES), "FORCE_COLOR": None, "COLUMNS": None}


def doctor(*options: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *options], env={**UNSET, **environment})


def settings_of(result: Result) -> dict[str, dict[str, Any]]:
    return {setting["name"]: setting for setting in json.loads(result.stdout)["settings"]}


def test_it_names_versions_mode_and_extras() -> None:
    result = doctor()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"cachery {cachery.__version__}, ")
    assert f"\n{'compiled' if cachery.compiled else 'interpreted'}: the memory cache runs as " in result.stdout
    assert "typer, rich" in result.stdout


def test_it_shows_every_setting() -> None:
    result = doctor()
    assert all(name in result.stdout for name in VARIABLES)


def test_it_tells_which_caches_have_a_default_ttl() -> None:
    said = doctor().stdout
    assert "from get_cache or a CacheManager has a default TTL: the one given, in code or in a settings file" in said
    assert "else CACHE_TTL_DEFAULT, 300 s unless set" in said
    assert "A cache made by its constructor, InMemoryCache() for instance, has none." in said


def test_a_setting_of_the_environment_is_in_force() -> None:
    setting = settings_of(doctor("--json", CACHE_TTL_DEFAULT="10m"))["CACHE_TTL_DEFAULT"]
    assert (setting["value"], setting["default"], setting["is_from_environment"]) == (600.0, 300.0, True)


def test_an_empty_setting_is_none() -> None:
    setting = settings_of(doctor("--json", CACHE_MAX_SIZE=" "))["CACHE_MAX_SIZE"]
    assert (setting["value"], setting["is_from_environment"]) == (1000, False)


@pytest.mark.parametrize(
    ("name", "text"), [("CACHE_TTL_DEFAULT", "soon"), ("CACHE_MAX_SIZE", "0"), ("CACHE_BACKEND", "cupboard")]
)
def test_a_setting_that_cannot_be_read_is_an_error(name: str, text: str) -> None:
    result = doctor(**{name: text})
    assert result.exit_code == 1
    assert "unreadable" in result.stdout
    errors = [line for line in result.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert name in errors[0]
    assert text in errors[0]


def test_json_has_the_errors_too() -> None:
    result = doctor("--json", CACHE_MAX_SIZE="many")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert settings_of(result)["CACHE_MAX_SIZE"]["value"] is None
    assert found["errors"] == [settings_of(result)["CACHE_MAX_SIZE"]["error"]]


def test_json_has_what_the_text_has() -> None:
    found = json.loads(doctor("--json").stdout)
    assert (found["version"], found["mode"] == "compiled") == (cachery.__version__, cachery.compiled)
    assert found["extras"][0]["modules"] == {"typer": True, "rich": True}
    assert [extra["name"] for extra in found["extras"]] == list(EXTRAS)
    assert "CACHE_TTL_DEFAULT" in found["default_ttl"]


def test_a_secret_is_shown_to_nobody() -> None:
    for options in ((), ("--json",)):
        shown = doctor(*options, CACHERY_SECRET="a secret of the tests").stdout
        assert "a secret of the tests" not in shown
        assert "(set)" in shown


def test_a_missing_extra_shows_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "moon", Extra("moon", ("json", "no_such_module"), "the moon"))
    result = doctor(COLUMNS="160")
    assert result.exit_code == 0
    assert "json, no_such_module (missing)" in result.stdout
    assert 'missing: pip install "cachery[moon]"' in result.stdout


@pytest.mark.parametrize("is_compiled", [True, False])
def test_interpreted_it_tells_how_to_compile(monkeypatch: pytest.MonkeyPatch, *, is_compiled: bool) -> None:
    monkeypatch.setattr(diagnosis, "compiled", is_compiled)
    result = doctor()
    assert ("CACHERY_REQUIRE_COMPILED=1" in result.stdout) is not is_compiled
    assert result.stdout.splitlines()[1].startswith("compiled: " if is_compiled else "interpreted: ")


def test_it_shows_the_settings_file_and_its_caches(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[caches.pages]\nmax_size = inf\ndefault_ttl = "forever"\n'
        '[caches.shared]\nbackend = "redis"\nredis_url = "redis://ada:tell@db/0"\nsecret = "never tell anybody"\n'
        '[caches.results]\nbackend = "disk"\npath = "results"\n'
    )
    result = doctor(COLUMNS="200", CACHERY_CONFIG=str(path))
    assert result.exit_code == 0
    assert f"Settings file: {path}, for get_cache and the command line" in result.stdout
    assert "redis_url=redis://ada:***@db/0, secret=***" in result.stdout
    found = json.loads(doctor("--json", CACHERY_CONFIG=str(path)).stdout)["config"]
    assert (found["file"], found["is_named"], found["error"]) == (str(path), True, None)
    assert [cache["name"] for cache in found["caches"]] == ["pages", "shared", "results"]
    assert found["caches"][0]["options"] == {"max_size": "inf", "default_ttl": "inf"}
    assert found["caches"][2]["options"] == {"path": str(tmp_path / "results")}


def test_a_settings_file_that_is_found_is_for_the_command_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No settings file" in doctor().stdout
    (tmp_path / "cachery.toml").write_text("")
    assert "for the command line; get_cache by CACHERY_CONFIG" in doctor(COLUMNS="200").stdout.replace("\n", " ")


@pytest.mark.parametrize("text", ["[caches.a]\nmax_sise = 5", '[caches.a]\nbackend = "disk"\nsecret = "${NOT_SET}"'])
def test_mistakes_of_the_settings_file_are_errors(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    result = doctor("--json", CACHERY_CONFIG=str(path))
    (error,) = json.loads(result.stdout)["errors"]
    assert (result.exit_code, error.startswith(f"{path}, line ")) == (1, True)
