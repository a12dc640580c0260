"""Who may write into the directory can make values disappear, and nothing else: an attack is a miss and an event."""

from __future__ import annotations

import logging
import os
import pickle
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import Any

import pytest
from tests.backends.disk.actors import SECRET, disk_cache

from cachery import CacheConnectionError, DiskCache
from cachery.backends.disk.writing import digest_of
from cachery.events import Event, Unreadable
from cachery.model.entry import Entry
from cachery.serializers.compression import Compression
from cachery.serializers.envelope import ENCRYPTED, NO_KEY, REFERENCE, SIGNATURE, Body, pack, unpack
from cachery.serializers.keyring import Keyring, user_secret
from cachery.serializers.pipeline import key_bytes

ANOTHER_SECRET = "the secret of somebody else"
LENGTHS_AT = 54
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DiskCache]:
    with disk_cache(tmp_path / "store") as cache:
        cache.set("other", "fine")
        yield cache


def taken(cache: DiskCache, key: str = "a") -> bytes:
    """Return the record of ``key``."""
    environment = cache.store.volume.environment
    with environment.begin() as transaction:
        record: bytes = transaction.get(digest_of(key_bytes(key)), db=environment.records)
    return record


def plant(cache: DiskCache, record: bytes, key: str = "a") -> None:
    """Put ``record`` under ``key``, past all checks."""
    environment = cache.store.volume.environment
    with environment.begin(write=True) as transaction:
        transaction.put(digest_of(key_bytes(key)), record, db=environment.records)


def planted(cache: DiskCache, record: bytes, key: str = "a") -> list[str]:
    """Put ``record`` under ``key``; return the reasons that are given when it is not readable."""
    plant(cache, record, key)
    return refused(cache, key)


def refused(cache: DiskCache, key: str = "a") -> list[str]:
    """Read ``key`` in every way, which is to be a miss each time; return the reasons that are given at the first."""
    reasons: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Unreadable) and event.key == key:
            reasons.append(event.reason)

    unsubscribe = cache.subscribe(note)
    assert cache.get(key, "a miss") == "a miss"
    unsubscribe()
    assert cache.get_many([key, "other"]) == {"other": "fine"}
    return reasons


def signed(cache: DiskCache, record: bytes) -> bytes:
    """Return ``record`` with the signature of ``cache``: what somebody can plant who has the secret."""
    keyring = cache.store.codec.keyring
    assert keyring is not None
    return keyring.signed(record)


def changed(record: bytes, place: int, *new: int) -> bytes:
    return record[:place] + bytes(new) + record[place + len(new) :]


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


# Records


def test_each_byte_of_a_record_counts(cache: DiskCache) -> None:
    """Tampering: a record with any bit changed is not read."""
    cache.set("a", "value", ttl=1000, tags=["red"])
    record = taken(cache)
    for place in range(len(record)):
        for mask in (0x01, 0x80, 0xFF):
            reasons = planted(cache, changed(record, place, record[place] ^ mask))
            assert len(reasons) == 1
            assert reasons[0] in {"format", "damaged", "secret", "signature"}
    plant(cache, record)
    assert cache.get("a") == "value"


def test_a_part_of_a_record_is_none(cache: DiskCache) -> None:
    """Truncation: a record cut anywhere, or with something after its end, is not read."""
    cache.set("a", "value", tags=["red"])
    record = taken(cache)
    for size in range(len(record)):
        assert planted(cache, record[:size]) in (["format"], ["damaged"])
    for more in (b"\0", b"x" * SIGNATURE, record):
        assert planted(cache, record + more) == ["damaged"]


def test_a_record_stands_under_its_key_only(cache: DiskCache) -> None:
    """Swapping: the record of one key is not read under another."""
    cache.set("a", "of a")
    cache.set("b", "of b")
    of_a, of_b = taken(cache, "a"), taken(cache, "b")
    assert planted(cache, of_b, "a") == ["key"]
    assert planted(cache, of_a, "b") == ["key"]


def test_a_record_stands_in_its_cache_only(cache: DiskCache, tmp_path: Path) -> None:
    """Copying: the record of a cache of another name is not read, though it has the same secret."""
    with disk_cache(tmp_path / "named", name="named") as other:
        other.set("a", "of the other")
        record = taken(other)
    assert planted(cache, record) == ["signature"]


def test_another_secret_is_another_cache(cache: DiskCache, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Forging: what another secret signed is not read. That is said once, for it may be a mistake."""
    with disk_cache(tmp_path / "other", secret=ANOTHER_SECRET) as other:
        other.set("a", "of the other")
        record = taken(other)
    with caplog.at_level(logging.WARNING, logger="cachery"):
        for _ in range(3):
            assert planted(cache, record) == ["secret"]
    assert len(caplog.records) == 1
    assert "CACHERY_SECRET" in caplog.text


@pytest.mark.parametrize(("place", "name"), [(2, "version"), (3, "serializer"), (4, "compression"), (5, "flags")])
def test_how_a_record_is_read_is_signed_too(cache: DiskCache, place: int, name: str) -> None:
    """Downgrading: no other version, serializer, compression or flag can be written into a record."""
    cache.set("a", "value")
    record = taken(cache)
    for value in set(range(256)) - {record[place]}:
        assert planted(cache, changed(record, place, value)) == (["format"] if name == "version" else ["signature"])


def test_a_record_is_read_as_this_cache_would_write_it(cache: DiskCache) -> None:
    """Downgrading with the secret: another serializer, compression or cipher is refused, not chosen by what is read."""
    cache.set("a", "value")
    record = taken(cache)[:-SIGNATURE]
    for place, values, reason in (
        (2, [0, 2, 255], "format"),
        (3, [2, 3, 4, 5, 9, 255], "serializer"),
        (4, [1, 2, 3, 9], "compression"),
        (5, [ENCRYPTED, 4, 128], "encryption"),
        (5, [REFERENCE], "file"),
    ):
        for value in values:
            assert planted(cache, signed(cache, changed(record, place, value))) == [reason]


def test_a_length_is_not_believed(cache: DiskCache) -> None:
    """Huge lengths: they are compared with what is there before anything is made of them."""
    cache.set("a", "value", tags=["red"])
    record = taken(cache)[:-SIGNATURE]
    tracemalloc.start()
    try:
        for layout, place in (("<I", 0), ("<I", 4), ("<Q", 8)):
            for length in (2**31, 2**32 - 1, 2**62, 2**64 - 1):
                packed = Struct(layout).pack(length % 2 ** (32 if layout == "<I" else 64))
                assert planted(cache, signed(cache, changed(record, LENGTHS_AT + place, *packed))) == ["damaged"]
        assert planted(cache, signed(cache, changed(record, 70 + 1, 255, 255, 255, 255))) == ["damaged"]  # of a tag
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", ["zlib", "zstd", "lz4"])
def test_a_bomb_does_not_go_off(tmp_path: Path, method: str) -> None:
    """Bombs: with the secret too, nothing is inflated to more than a value may have."""
    bomb = Compression(method, limit=2**30).compress(bytes(64 * 2**20))
    with disk_cache(tmp_path, compression=method, max_value_bytes="1MiB") as cache:
        cache.set("other", "fine")
        cache.set("a", "value" * 1000)
        envelope = unpack(taken(cache))
        body = Body(bomb, envelope.body.serializer, envelope.body.compression)
        record = signed(cache, pack(b"a", body, Entry(None), 0, envelope.key_id))
        tracemalloc.start()
        try:
            assert planted(cache, record) == ["compression"]
            assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
        finally:
            tracemalloc.stop()


def test_nothing_that_is_not_signed_is_unpickled(cache: DiskCache, tmp_path: Path) -> None:
    """Code: a pickle without our signature is not even looked at."""
    marker = tmp_path / "was here"
    body = Body(pickle.dumps(Evil(marker)), 1)
    stranger = Keyring(ANOTHER_SECRET, "")
    key_id = cache.store.codec.keyring.key_id  # type: ignore[union-attr]
    plain = pack(b"a", body, Entry(None), 0)
    for record, reason in (
        (plain, "secret"),
        (plain + bytes(SIGNATURE), "secret"),
        (stranger.signed(pack(b"a", body, Entry(None), 0, stranger.key_id)), "secret"),
        (stranger.signed(pack(b"a", body, Entry(None), 0, key_id)), "signature"),
        (pack(b"a", body, Entry(None), 0, key_id) + bytes(SIGNATURE), "signature"),
        (pack(b"a", body, Entry(None), 0, NO_KEY) + bytes(SIGNATURE), "secret"),
        (body.data, "format"),
    ):
        assert planted(cache, record) == [reason]
        assert cache.incr("a") == 1
        assert cache.delete("a")
    assert not marker.exists()
    plant(cache, signed(cache, pack(b"a", body, Entry(None), 0, key_id)))
    cache.get("a")
    assert marker.exists(), "the attack itself works"


def test_a_pickle_is_no_json(tmp_path: Path) -> None:
    """Code: a cache of plain data unpickles nothing, whoever signed it."""
    marker = tmp_path / "was here"
    with disk_cache(tmp_path / "store", serializer="json") as cache:
        cache.set("other", "fine")
        cache.set("a", "value")
        key_id = unpack(taken(cache)).key_id
        record = pack(b"a", Body(pickle.dumps(Evil(marker)), 1), Entry(None), 0, key_id)
        assert planted(cache, signed(cache, record)) == ["serializer"]
        assert planted(cache, signed(cache, changed(record, 3, 2))) == ["value"]
    assert not marker.exists()


def test_what_cannot_be_read_can_be_written_over(cache: DiskCache) -> None:
    """Afterwards: all verbs take what cannot be read for absent, and go on."""
    writes: list[tuple[Callable[[], object], int]] = [
        (lambda: cache.set("a", 1), 1),
        (lambda: cache.add("a", 2), 2),
        (lambda: cache.incr("a", 3), 3),
        (lambda: cache.set_many({"a": 4}), 4),
        (lambda: cache.get_or_set("a", lambda: 5), 5),
    ]
    for write, read in writes:
        cache.set("a", "value")
        planted(cache, b"no record at all")
        assert not cache.exists("a")
        assert cache.ttl("a") is None
        assert cache.touch("a", 5) is False
        assert cache.delete("b") is False
        write()
        assert cache.get("a") == read
    planted(cache, b"no record at all")
    cache.delete("a")
    assert cache.cleanup_expired() == 0
    assert cache.store.audit() == []
    assert list(cache.keys()) == ["other"]


# Large values


@pytest.fixture
def large(cache: DiskCache) -> Path:
    """Return the file of the large value of ``a``."""
    cache.set("a", b"a" * 2**20)
    (file,) = (cache.path / "values").iterdir()
    return file


def test_a_large_value_of_another_key_is_not_read(cache: DiskCache, large: Path) -> None:
    """Swapped files: a file is that of one record."""
    cache.set("b", b"b" * 2**20)
    (other,) = (file for file in large.parent.iterdir() if file != large)
    of_a = large.read_bytes()
    large.write_bytes(other.read_bytes())
    other.write_bytes(of_a)
    assert refused(cache, "a") == ["file"]
    assert refused(cache, "b") == ["file"]


@pytest.mark.parametrize("kind", ["changed", "cut off", "longer", "empty", "missing", "directory", "link", "pipe"])
def test_a_file_that_is_not_what_was_written_is_not_read(cache: DiskCache, large: Path, kind: str) -> None:
    """Tampered files: nothing else than what was written is read, through no link, and nothing is waited for."""
    data = large.read_bytes()
    large.unlink()
    if kind == "link":
        elsewhere = cache.path.parent / "elsewhere"
        elsewhere.write_bytes(data)
        large.symlink_to(elsewhere)
    elif kind == "directory":
        large.mkdir()
    elif kind == "pipe":
        os.mkfifo(large)
    elif kind != "missing":
        large.write_bytes(
            {"changed": changed(data, 2**19, 0), "cut off": data[:-1], "longer": data + b"a", "empty": b""}[kind]
        )
    assert refused(cache) == ["file"]
    assert cache.set("a", "new")
    assert cache.get("a") == "new"


def test_a_reference_leads_nowhere_else(cache: DiskCache, large: Path) -> None:
    """References: a record with the secret names one of 2**128 files in one directory, whatever it says."""
    record = taken(cache)[:-SIGNATURE]
    at = len(record) - 56
    assert planted(cache, signed(cache, record[:-1])) == ["damaged"]
    for name in (b"../../../../etc/pa", bytes(16), b"/" * 16):
        assert planted(cache, signed(cache, changed(record, at, *name[:16]))) == ["file"]
    assert large.exists()


# Secrets


def test_secrets_are_rotated(tmp_path: Path) -> None:
    """Rotation: the newest signs, all are believed; then the old one may go."""
    with disk_cache(tmp_path, secret=SECRET) as cache:
        cache.set("a", "old")
        cache.set("big", b"b" * 2**20)
    with disk_cache(tmp_path, secret=[ANOTHER_SECRET, SECRET]) as cache:
        assert cache.get("a") == "old"
        assert cache.get("big") == b"b" * 2**20
        cache.set("b", "new")
        assert cache.touch("a", 100) is True
    with disk_cache(tmp_path, secret=ANOTHER_SECRET) as cache:
        assert cache.get_many(["a", "b", "big"]) == {"a": "old", "b": "new"}, "touching signs anew"
    with disk_cache(tmp_path, secret=SECRET) as cache:
        assert cache.get_many(["a", "b", "big"]) == {"big": b"b" * 2**20}


def test_encryption_is_rotated(tmp_path: Path) -> None:
    """Rotation: the newest encrypts, all decrypt; without the right one nothing is read, and nothing is told."""
    first, second = "an old key to encrypt", "a new key to encrypt"
    with disk_cache(tmp_path, encryption=first) as cache:
        cache.set("a", "a word that is old")
        cache.set("big", b"a word" * 2**18)
        assert b"a word" not in taken(cache)
        assert not any(b"a word" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    with disk_cache(tmp_path, encryption=[second, first]) as cache:
        assert cache.get("a") == "a word that is old"
        assert cache.get("big") == b"a word" * 2**18
        cache.set("other", "fine")
    with disk_cache(tmp_path, encryption=second) as cache:
        assert refused(cache, "a") == ["encryption"]
        assert refused(cache, "big") == ["encryption"]
    with disk_cache(tmp_path) as cache:
        cache.set("other", "fine")
        assert refused(cache, "a") == ["encryption"]
        cache.set("a", "in plain text")
    with disk_cache(tmp_path, encryption=second) as cache:
        cache.set("other", "fine")
        assert refused(cache, "a") == ["encryption"], "what is not encrypted is not read either"


# Directories and keys


@pytest.mark.skipif(not IS_ROOT, reason="only root may give files away")
def test_a_directory_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    """Ownership: a directory that another user owns is refused."""
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(CacheConnectionError, match="belongs to another user"):
        disk_cache(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs permissions as POSIX has them")
def test_a_directory_that_all_may_write_to_is_not_used(tmp_path: Path) -> None:
    """Permissions: a directory that everybody may write to is refused, with what to do."""
    tmp_path.chmod(0o777)
    with pytest.raises(CacheConnectionError, match="chmod o-w"):
        disk_cache(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs permissions as POSIX has them")
def test_nobody_else_can_read_what_is_made(tmp_path: Path) -> None:
    """Permissions: directories are 0700 and files 0600, whatever the umask of the process."""
    before = os.umask(0)
    try:
        with disk_cache(tmp_path / "some" / "where") as cache:
            cache.set_many({"a": 1, "big": bytes(2**20)})
            made = [tmp_path / "some" / "where", *(tmp_path / "some" / "where").rglob("*")]
            modes = {file.name: (file.is_dir(), stat.S_IMODE(file.stat().st_mode)) for file in made}
    finally:
        os.umask(before)
    assert {"data.mdb", "lock.mdb", "state", "locks", "cachery.json", "values"} < modes.keys()
    assert {mode for _, mode in modes.values()} == {0o700, 0o600}
    assert all(mode == (0o700 if is_directory else 0o600) for is_directory, mode in modes.values())


@pytest.mark.parametrize("name", ["data.mdb", "state", "locks", "cachery.json"])
def test_no_file_of_a_store_is_a_way_out(tmp_path: Path, name: str) -> None:
    """Links: a link in the place of a file of the store changes nothing where it leads to."""
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    (place / name).symlink_to(target)
    with pytest.raises(CacheConnectionError):
        disk_cache(place)
    assert target.read_bytes() == b"precious"


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the key of a user without a secret goes."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    monkeypatch.delenv("CACHERY_SECRET", raising=False)
    return tmp_path / "home" / "data" / "cachery" / "secret.key"


def read_and_written(place: Path) -> object:
    with DiskCache(place) as cache:
        found = cache.get("a")
        cache.set("a", "value")
    return found


@pytest.mark.skipif(os.name != "posix", reason="needs permissions as POSIX has them")
def test_a_user_has_a_key(key_file: Path, tmp_path: Path) -> None:
    """Keys: one is made where there is none, for this user alone, and used from then on."""
    before = os.umask(0)
    try:
        assert read_and_written(tmp_path / "store") is None
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert [file.name for file in key_file.parent.iterdir()] == ["secret.key"]
    assert read_and_written(tmp_path / "store") == "value"
    key_file.unlink()
    assert read_and_written(tmp_path / "store") is None, "another key is another secret"


@pytest.mark.skipif(os.name != "posix", reason="needs permissions as POSIX has them")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_key_that_others_can_read_is_refused(key_file: Path, tmp_path: Path, mode: int) -> None:
    """Keys: one that others can read or write is no secret."""
    user_secret()
    key_file.chmod(mode)
    with pytest.raises(CacheConnectionError, match="chmod 600"):
        read_and_written(tmp_path / "store")


@pytest.mark.parametrize("content", [b"", b"short", b" \n"])
def test_a_key_that_is_none_is_refused(key_file: Path, tmp_path: Path, content: bytes) -> None:
    """Keys: a file that holds no key is not taken for one."""
    user_secret()
    key_file.write_bytes(content)
    with pytest.raises(CacheConnectionError, match="holds no key"):
        read_and_written(tmp_path / "store")


def test_a_link_is_no_key(key_file: Path, tmp_path: Path) -> None:
    """Keys: the file of the key is not followed anywhere."""
    user_secret()
    key_file.rename(tmp_path / "elsewhere")
    key_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheConnectionError, match=r"secret\.key"):
        read_and_written(tmp_path / "store")


def test_the_environment_has_the_secret(key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys: CACHERY_SECRET counts where no secret is given, and then no key is made."""
    monkeypatch.setenv("CACHERY_SECRET", SECRET)
    assert read_and_written(tmp_path / "store") is None
    assert read_and_written(tmp_path / "store") == "value"
    assert not key_file.exists()
    with disk_cache(tmp_path / "store", secret=SECRET) as cache:
        assert cache.get("a") == "value"
    monkeypatch.setenv("CACHERY_SECRET", ANOTHER_SECRET)
    assert read_and_written(tmp_path / "store") is None


@pytest.mark.parametrize("secret", ["short", "", [], [SECRET, "short"], 5])
def test_what_is_no_secret_is_refused(tmp_path: Path, secret: Any) -> None:
    """Keys: a secret that could be guessed is not accepted."""
    with pytest.raises(ValueError, match="secret"):
        disk_cache(tmp_path, secret=secret)
