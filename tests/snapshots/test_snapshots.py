"""What was written by any format is read by this version, for ever."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("payloads", Path(__file__).with_name("payloads.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
payloads = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(payloads)

RECORDS = sorted(payloads.PLACE.glob("record-*.bin"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_read(path: Path) -> None:
    kind = path.stem.split("-", 2)[2]
    codec = payloads.CODECS["pickle" if kind == "integer" else kind]
    name = payloads.key_bytes(payloads.KEY)
    envelope = codec.opened(name, path.read_bytes())
    value = codec.value_of(name, envelope.body)
    assert value == (-(2**70) if kind == "integer" else payloads.VALUE)
    assert envelope.entry(None) == payloads.ENTRY
    assert envelope.epoch == payloads.EPOCH
    assert envelope.tags == (("red", payloads.EPOCH), ("blå", payloads.EPOCH))


def test_the_form_of_today_is_among_them() -> None:
    version = payloads.VERSION
    names = {f"record-{version}-{kind}" for kind in (*payloads.CODECS, "integer")}
    assert names <= {path.stem for path in RECORDS}


def test_a_record_is_written_as_it_was() -> None:
    for kind in ("json", "msgpack"):
        written = (payloads.PLACE / f"record-{payloads.VERSION}-{kind}.bin").read_bytes()
        assert payloads.record_of(payloads.CODECS[kind], payloads.VALUE) == written


def test_a_pair_of_files_is_read(tmp_path: Path) -> None:
    shutil.copytree(payloads.PLACE / "files-1", tmp_path / "files")
    with payloads.files_in(tmp_path / "files") as cache:
        assert cache.get("user:42") == payloads.VALUE
        cache.invalidate_tags("red")
        assert cache.get("user:42") is None
