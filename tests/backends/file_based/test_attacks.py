"""Files that somebody else changed: they count as absent, it is reported, and nothing in them is ever run."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.backends.file_based.children import SECRET, faults_of, file_cache

from cachery.backends.file_based.layout import hash_of
from cachery.backends.file_based.metas import Metas, body_digest
from cachery.codecs import build_codec
from cachery.events import Event, Unreadable
from cachery.file_based import FileBasedCache
from cachery.model.entry import Entry
from cachery.model.sentinels import MISSING
from cachery.serializers.envelope import Body


class Trap:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def files_of(cache: FileBasedCache, key: str) -> tuple[Path, Path]:
    """Return the files of ``key``: its meta and its body."""
    stem = hash_of(key.encode())
    return cache.cache_dir / f"{stem}.meta", cache.cache_dir / f"{stem}.cache"


@pytest.fixture
def cache(tmp_path: Path) -> Any:
    with file_cache(tmp_path / "cache") as cache:
        cache.set_many({"a": {"answer": 42}, "b": [1, 2]})
        yield cache


def is_absent(cache: FileBasedCache, key: str, reason: str) -> bool:
    """Tell whether ``key`` counts as absent for every way to ask for it, and why that is."""
    faults = faults_of(cache)
    found = [
        cache.get(key, MISSING),
        cache.peek(key),
        cache.get_many([key]).get(key, MISSING),
        cache.store.read_entry(key) or MISSING,
    ]
    assert found == [MISSING] * 4
    assert faults == [(key, reason)] * 4
    return True


def test_a_body_that_was_changed(cache: FileBasedCache, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    _, body = files_of(cache, "a")
    for payload in (pickle.dumps(Trap(trap)), b"", pickle.dumps(Trap(trap)).ljust(body.stat().st_size, b".")):
        body.write_bytes(payload)
        assert is_absent(cache, "a", "signature")
    assert not trap.exists()
    assert cache.set("a", "new") is True
    assert cache.get("a") == "new"


def test_a_meta_file_that_was_changed_to_fit_a_body_that_was_changed(cache: FileBasedCache, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    meta, body = files_of(cache, "a")
    payload = pickle.dumps(Trap(trap))
    body.write_bytes(payload)
    said = json.loads(meta.read_bytes())
    text = meta.read_text()
    text = text.replace(said["digest"], body_digest(payload)).replace(
        f'"size": {said["size"]}', f'"size": {len(payload)}'
    )
    meta.write_text(text)
    assert is_absent(cache, "a", "signature")
    assert not trap.exists()


def test_an_entry_that_another_secret_signed(cache: FileBasedCache, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    with file_cache(tmp_path / "other", secret="the secret of somebody else") as other:
        other.set("a", Trap(trap))
        for theirs, ours in zip(files_of(other, "a"), files_of(cache, "a"), strict=True):
            shutil.copyfile(theirs, ours)
    assert is_absent(cache, "a", "secret")
    assert not trap.exists()


def test_an_entry_of_a_cache_of_another_name(tmp_path: Path) -> None:
    with file_cache(tmp_path / "one", name="one") as one, file_cache(tmp_path / "two", name="two") as two:
        one.set("a", 1)
        for theirs, ours in zip(files_of(one, "a"), files_of(two, "a"), strict=True):
            shutil.copyfile(theirs, ours)
        assert is_absent(two, "a", "signature")


@pytest.mark.parametrize("is_meta", [True, False])
def test_every_bit_counts(cache: FileBasedCache, *, is_meta: bool) -> None:
    cache.set("a", {"answer": "forty-three"})
    path = files_of(cache, "a")[0 if is_meta else 1]
    text = path.read_bytes()
    faults = faults_of(cache)
    count = 0
    for place in range(len(text)):
        for bit in range(8):
            path.write_bytes(text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :])
            value = cache.get("a", MISSING)
            if value is MISSING:
                count += 1
            else:  # what was changed is only of use while a value is being replaced, and looked at then
                assert is_meta
                assert place > text.index(b"\n") - 2
                assert value == {"answer": "forty-three"}
    assert len(faults) == count > 4 * len(text) - 8
    path.write_bytes(text)
    assert cache.get("a") == {"answer": "forty-three"}


@pytest.mark.parametrize("is_meta", [True, False])
def test_a_file_that_was_cut_off(cache: FileBasedCache, *, is_meta: bool) -> None:
    path = files_of(cache, "a")[0 if is_meta else 1]
    text = path.read_bytes()
    faults = faults_of(cache)
    for size in range(len(text)):
        path.write_bytes(text[:size])
        assert cache.get("a", MISSING) is MISSING
    assert len(faults) == len(text)


def test_swapped_pairs(cache: FileBasedCache) -> None:
    for one, other in zip(files_of(cache, "a"), files_of(cache, "b"), strict=True):
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)
    assert is_absent(cache, "a", "key")
    assert list(cache.keys()) == []
    assert len(cache) == 0


def test_swapped_bodies(cache: FileBasedCache) -> None:
    one, other = files_of(cache, "a")[1], files_of(cache, "b")[1]
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    assert is_absent(cache, "a", "signature")
    assert is_absent(cache, "b", "signature")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('"format": 1', '"format": 0', "signature"),
        ('"format": 1', '"format": 2', "signature"),
        ('"serializer": "pickle"', '"serializer": "json"', "signature"),
        ('"serializer": "pickle"', '"serializer": "integer"', "signature"),
        ('"flags": 0', '"flags": 1', "signature"),
        ('"compression": null', '"compression": "zlib"', "signature"),
        ('"fresh_until": null', '"fresh_until": 1.0', "signature"),
        ('"ttl": null', '"ttl": 10', "signature"),
        ('"born": 0', '"born": 7', "signature"),
        ('"key_id": "', '"key_id": "0', "damaged"),
        ('{"mac": ', '{"alg": "none", "mac": ', "damaged"),
        (", ", ",", "damaged"),
    ],
)
def test_what_a_meta_file_says_is_covered(cache: FileBasedCache, before: str, after: str, reason: str) -> None:
    meta, _ = files_of(cache, "a")
    text = meta.read_text()
    assert before in text
    meta.write_text(text.replace(before, after, 1))
    assert is_absent(cache, "a", reason)
    assert not cache.exists("a")
    assert cache.ttl("a") is None


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[" * 5000, b"null", b'"text"', b"\xff\xfe", b"{" * 100, b"9" * 5000, b"\n\n"]
)
def test_a_meta_file_that_is_something_else(cache: FileBasedCache, text: bytes) -> None:
    meta, _ = files_of(cache, "a")
    meta.write_bytes(text)
    assert is_absent(cache, "a", "damaged")
    assert list(cache.keys()) == ["b"]
    assert cache.cleanup_expired() == 0
    assert cache.delete_pattern("*") == 1
    cache.set("a", "new")
    assert cache.get("a") == "new"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda said: said.update(format=2), "format"),
        (lambda said: said.update(serializer="json"), "serializer"),
        (lambda said: said.update(compression="zstd"), "compression"),
        (lambda said: said.update(key="b"), "key"),
        (lambda said: said.pop("tags"), "format"),
        (lambda said: said.update(tags=5), "format"),
    ],
)
def test_what_is_signed_and_yet_not_of_this_cache(
    cache: FileBasedCache, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    """A later version, or another configuration with the same secret, may have written it."""
    meta, _ = files_of(cache, "a")
    said = json.loads(meta.read_bytes())
    del said["mac"]
    change(said)
    signed = json.dumps(said)[1:].encode()
    keyring = cache.store.codec.keyring
    assert keyring is not None
    meta.write_bytes(b'{"mac": "%b", %b' % (keyring.sign(b"cachery file\n" + signed).hex().encode(), signed))
    assert is_absent(cache, "a", reason)


def test_a_meta_file_that_is_huge_is_not_read(cache: FileBasedCache) -> None:
    meta, body = files_of(cache, "a")
    with meta.open("r+b") as file:
        file.truncate(2**40)
    assert is_absent(cache, "a", "damaged")
    cache.set("a", 1)
    with body.open("r+b") as file:
        file.truncate(2**40)
    assert is_absent(cache, "a", "damaged")


def test_links_are_not_followed(cache: FileBasedCache, tmp_path: Path) -> None:
    for path in files_of(cache, "a"):
        away = tmp_path / path.name
        path.rename(away)
        path.symlink_to(away)
        assert is_absent(cache, "a", "damaged")
        path.unlink()
        away.rename(path)
    assert cache.get("a") == {"answer": 42}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_what_is_no_file_is_not_waited_for(cache: FileBasedCache) -> None:
    for path in files_of(cache, "a"):
        kept = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        assert is_absent(cache, "a", "damaged")
        path.unlink()
        path.mkdir()
        assert is_absent(cache, "a", "damaged")
        path.rmdir()
        path.write_bytes(kept)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_files_of_another_user(cache: FileBasedCache) -> None:
    for path in files_of(cache, "a"):
        os.chown(path, 12345, -1)
        assert is_absent(cache, "a", "signature")
        os.chown(path, os.geteuid(), -1)
    assert cache.get("a") == {"answer": 42}


def test_json_is_signed_too(tmp_path: Path) -> None:
    with file_cache(tmp_path, serializer="json") as cache:
        cache.set("a", {"admin": False})
        _, body = files_of(cache, "a")
        body.write_text(body.read_text().replace("false", "true "))
        assert is_absent(cache, "a", "signature")


def test_an_old_meta_file_beside_a_new_body(cache: FileBasedCache) -> None:
    meta, _ = files_of(cache, "a")
    kept = meta.read_bytes()
    cache.set("a", {"answer": 43})
    meta.write_bytes(kept)
    assert is_absent(cache, "a", "signature")


def test_a_body_that_is_gone(cache: FileBasedCache) -> None:
    _, body = files_of(cache, "a")
    body.unlink()
    assert is_absent(cache, "a", "file")
    assert not cache.exists("a")
    assert cache.add("a", "new") is True
    assert cache.get("a") == "new"


def test_a_previous_value_must_be_signed_itself(cache: FileBasedCache, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    cache.set("a", {"answer": 43})
    meta, body = files_of(cache, "a")
    payload = pickle.dumps(Trap(trap))
    codec = build_codec(
        serializer="pickle",
        compression=None,
        compression_threshold=1,
        encryption=None,
        secret="the secret of somebody else",
        max_value_bytes=1000,
        name="",
    )
    assert codec.keyring is not None
    forged = Metas(codec, codec.keyring).line(
        key="a",
        entry=Entry(None),
        body=Body(b"", codec.code),
        size=len(payload),
        digest=body_digest(payload),
        file=body.stat().st_ino,
        born=0,
        now=0.0,
    )
    meta.write_bytes(re.sub(rb'"previous": .*\}$', lambda _: b'"previous": ' + forged + b"}", meta.read_bytes()))
    assert cache.get("a") == {"answer": 43}
    body.write_bytes(payload)
    assert is_absent(cache, "a", "secret")
    assert not trap.exists()


def test_what_cannot_be_opened_is_absent(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    meta, body = files_of(cache, "a")
    real = os.open
    for victim, number in ((meta, 13), (body, 5), (body, 24)):

        def refuse(path: Any, *args: Any, victim: Path = victim, number: int = number, **named: Any) -> int:
            if path == str(victim):
                raise OSError(number, os.strerror(number))
            return real(path, *args, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refuse)
            assert is_absent(cache, "a", "file")
    assert cache.get("a") == {"answer": 42}


def test_damage_is_found_by_who_looks_for_it(cache: FileBasedCache) -> None:
    files_of(cache, "a")[1].write_bytes(b"changed")
    assert sorted(cache.store.verify()) == [("a", "signature"), ("b", "")]
    assert cache.store.audit() == []
    files_of(cache, "b")[0].write_bytes(b"changed")
    assert sorted(cache.store.verify()) == [("", "damaged"), ("a", "signature")]
    assert len(cache.store.audit()) == 1


def test_the_secret_of_these_tests_is_no_default(tmp_path: Path) -> None:
    with file_cache(tmp_path, secret=SECRET) as cache:
        cache.set("a", 1)
    with file_cache(tmp_path, secret=["a newer secret of tests", SECRET]) as cache:
        assert cache.get("a") == 1
        cache.touch("a", 100)
    with file_cache(tmp_path, secret="a newer secret of tests") as cache:
        assert cache.get("a") == 1


def test_who_is_told_may_use_the_cache(cache: FileBasedCache) -> None:
    """Nothing is told while a lock is held."""
    mended: list[str] = []

    def mend(event: Event) -> None:
        if isinstance(event, Unreadable):
            assert cache.set(event.key, 7) is True
            mended.append(event.key)

    cache.subscribe(mend)
    verbs: list[Callable[[], object]] = [
        lambda: cache.get("a"),
        lambda: cache.exists("a"),
        lambda: cache.touch("a", 5),
        lambda: cache.delete("a"),
        lambda: cache.add("a", 1),
        lambda: cache.incr("a"),
        lambda: cache.get_or_set("a", lambda: 1),
    ]
    for verb in verbs:
        mended.clear()
        cache.set("a", "x")
        files_of(cache, "a")[0].write_bytes(b"damaged")
        verb()
        assert mended == ["a"]
        assert isinstance(cache.get("a"), int)
