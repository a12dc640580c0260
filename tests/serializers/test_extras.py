"""A missing extra is named, with the line that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachery.serializers.extras import import_extra


def test_a_module_that_is_there_is_returned() -> None:
    assert import_extra("json.decoder", "none").__name__ == "json.decoder"


def test_the_line_that_installs_a_missing_one_is_shown() -> None:
    with pytest.raises(ImportError, match=r'^nowhere is not installed: pip install "cachery\[crypto\]"$') as caught:
        import_extra("nowhere.at_all", "crypto")
    assert caught.value.name == "nowhere"
    assert caught.value.__cause__ is not None


def test_one_that_is_there_and_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_of_a_test.py").write_text("import missing_of_a_test")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"failing_of_a_test cannot be imported .*'missing_of_a_test'.*pip install"):
        import_extra("failing_of_a_test", "crypto")
