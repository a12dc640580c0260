"""What was written by any format is read by this version, for ever."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from tests.backends.redis.ground import raw
from tests.servers.redis_servers import RedisServer

from cachery.backends.redis.records import ENVELOPE_AT

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


@pytest.mark.parametrize("secret", payloads.REDIS)
def test_a_record_on_redis_is_read(own_redis: RedisServer, secret: str | None) -> None:
    """What stands there, its tags and its numbers, as if an older version had written it a moment ago."""
    record = (payloads.PLACE / f"redis-1-{payloads.REDIS[secret]}.bin").read_bytes()
    with raw(own_redis.port) as client, payloads.redis_cache(client, secret) as cache:
        era, number, cleared, pattern = payloads.STATE
        client.set(cache.names.state, era + b"".join(each.to_bytes(8, "big") for each in (number, cleared, pattern)))
        for tag in ("red", "blå"):
            client.set(cache.names.tag(tag), (5).to_bytes(8, "big"), px=3_600_000)
        client.set(cache.names.entry(payloads.key_bytes(payloads.KEY)), record, px=3_600_000)
        assert cache.get(payloads.KEY) == payloads.VALUE
        assert cache.get_many([payloads.KEY]) == {payloads.KEY: payloads.VALUE}
        assert cache.ttl(payloads.KEY) == pytest.approx(3600, abs=2)
        cache.invalidate_tags("blå")
        assert cache.get(payloads.KEY) is None


@pytest.mark.parametrize("secret", payloads.REDIS)
def test_a_record_on_redis_is_written_as_it_was(own_redis: RedisServer, secret: str | None) -> None:
    record = (payloads.PLACE / f"redis-1-{payloads.REDIS[secret]}.bin").read_bytes()
    with raw(own_redis.port) as client:
        written = payloads.redis_record_of(secret, client)
    head = ENVELOPE_AT + 14
    assert written[:head] == record[:head]
    assert len(written) == len(record)
    if secret is None:  # the times are spans from its birth, to the last bit of a float not the same
        assert written[head + 24 :] == record[head + 24 :]


def test_a_pair_of_files_is_read(tmp_path: Path) -> None:
    shutil.copytree(payloads.PLACE / "files-1", tmp_path / "files")
    with payloads.files_in(tmp_path / "files") as cache:
        assert cache.get("user:42") == payloads.VALUE
        cache.invalidate_tags("red")
        assert cache.get("user:42") is None


def test_a_snapshot_of_a_memory_cache_is_read() -> None:
    with payloads.restored_from(payloads.PLACE / "memory-1-json.snapshot") as cache:
        assert cache.read_entry(payloads.KEY) == payloads.ENTRY._replace(value=payloads.VALUE)
        assert cache.get("of other") == 1
        assert cache.stats.hottest_keys(5) == [(payloads.KEY, 1), ("of other", 1)]
        cache.set("other", 8)
        assert cache.get("of other") is None
