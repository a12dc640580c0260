"""What a value depends on, and how far it travels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.replication.sites import settle

from cachery.invalidation import Key, Version


def test_what_depends_on_names_and_versions_travels(paris: Any, tokyo: Any) -> None:
    paris.set("a", 1, depends_on=["schema", Version("replicated", 1)])
    paris.set("b", 2, depends_on=[Version("replicated", 1)])
    settle(paris, tokyo)
    assert tokyo.get_many(["a", "b"]) == {"a": 1, "b": 2}
    paris.invalidate_tags("schema")
    settle(paris, tokyo)
    assert tokyo.get_many(["a", "b"]) == {"b": 2}
    Version("replicated", 2)
    assert tokyo.get("b") is None


def test_what_depends_on_files_and_keys_stays_at_its_site(paris: Any, tokyo: Any, tmp_path: Path) -> None:
    source = tmp_path / "source.txt"
    source.write_text("one")
    for cache in (paris, tokyo):
        cache.set("a", 0)
        settle(paris, tokyo)
    paris.set("a", 1, depends_on=[source])
    paris.set("u", 1)
    paris.set("b", 2, depends_on=[Key("u")])
    settle(paris, tokyo)
    assert paris.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert tokyo.get_many(["a", "b", "u"]) == {"u": 1}
