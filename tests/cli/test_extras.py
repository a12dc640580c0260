"""An extra knows which of its modules are missing, and imports none to find out."""

from __future__ import annotations

import sys

import pytest

from cachery.cli.extras import Extra


class Refusing:
    """A finder that forbids one module."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        del path, target
        if name == "this":
            raise ImportError(name)


def test_modules_that_are_not_there_are_missing() -> None:
    assert Extra("some", ("no_such_module", "json"), "").missing_modules() == ["no_such_module"]


def test_a_module_that_cannot_be_looked_for_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    assert Extra("some", ("this",), "").missing_modules() == ["this"]


def test_nothing_is_imported_to_find_out() -> None:
    assert Extra("some", ("antigravity",), "").missing_modules() == []
    assert "antigravity" not in sys.modules
