"""What the system refuses: the old value stays, nothing is left behind, and it is said why."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.backends.file_based.children import SECRET, file_cache, fork_warning, names_in, needs_fork, run

from cachery.exceptions import (
    CacheConnectionError,
    CacheError,
    CacheFullError,
    CacheSerializationError,
    CacheValueError,
)
from cachery.file_based import FileBasedCache
from cachery.testing import check_invariants

WRITES: dict[str, Callable[[FileBasedCache], object]] = {
    "set": lambda cache: cache.set("a", "new"),
    "set of a new key": lambda cache: cache.set("new", "new"),
    "set_many": lambda cache: cache.set_many({"a": "new", "b": "new"}),
    "add": lambda cache: cache.add("new", "new"),
    "incr": lambda cache: cache.incr("n"),
    "touch": lambda cache: cache.touch("a", 100),
    "tags": lambda cache: cache.set("a", "new", tags=["red"]),
    "invalidate_tags": lambda cache: cache.invalidate_tags("blue"),
}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[FileBasedCache]:
    with file_cache(tmp_path / "cache") as cache:
        cache.set_many({"a": "old", "n": 5})
        yield cache


def is_as_before(cache: FileBasedCache) -> bool:
    assert cache.get_many(["a", "n", "new", "b"]) == {"a": "old", "n": 5}
    cache.cleanup_expired()
    check_invariants(cache)
    return {name.partition(".")[2] for name in names_in(cache.cache_dir)} == {"cache", "meta"}


class Refusal:
    """Stands in for a call of the system, and refuses it from the call of that number on."""

    def __init__(self, call: str, error: int, later: int) -> None:
        self._real = getattr(os, call)
        self._is_open = call == "open"
        self._error = error
        self._left = later
        self.has_struck = False

    def __call__(self, *args: Any, **named: Any) -> Any:
        if not self._is_open or args[1] & os.O_CREAT:
            self._left -= 1
            if self._left < 0:
                self.has_struck = True
                raise OSError(self._error, os.strerror(self._error))
        return self._real(*args, **named)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("call", ["open", "write", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO])
def test_whatever_is_refused_at_whatever_moment_the_old_value_stays(
    cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch, name: str, call: str, number: int
) -> None:
    kind = CacheFullError if number in {errno.ENOSPC, errno.EDQUOT} else CacheConnectionError
    for later in range(3):
        refusal = Refusal(call, number, later)
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refusal)
            failure = failure_of(lambda: WRITES[name](cache))
        assert refusal.has_struck is (failure is not None)
        if failure is None:
            return
        assert type(failure) is kind
        assert os.strerror(number) in str(failure)
        assert name == "set_many" or is_as_before(cache)


def failure_of(work: Callable[[], object]) -> CacheError | None:
    try:
        work()
    except CacheError as error:
        return error
    return None


@needs_fork
@fork_warning
@pytest.mark.no_cover
def test_a_full_disk_keeps_the_old_value(cache: FileBasedCache) -> None:
    import resource  # noqa: PLC0415 - not on every system

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        with pytest.raises(CacheFullError, match="cannot write"):
            cache.set("a", os.urandom(20_000))
        assert cache.set("small", 1) is True
        assert cache.get("a") == "old"

    assert run(fill) == 0
    assert cache.get("small") == 1
    assert not list(cache.cache_dir.glob("*.tmp"))


@needs_fork
@fork_warning
@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
def test_a_directory_that_may_only_be_read() -> None:
    def work() -> None:
        os.setuid(65534)
        with tempfile.TemporaryDirectory() as place:
            cache = FileBasedCache(place, secret=SECRET)
            cache.set_many({"a": "old", "n": 5})
            Path(place).chmod(0o500)
            for write in WRITES.values():
                with pytest.raises(CacheConnectionError, match="Permission denied"):
                    write(cache)
            with pytest.raises(CacheConnectionError, match="Permission denied"):
                cache.delete("a")
            assert cache.get_many(["a", "n"]) == {"a": "old", "n": 5}
            Path(place).chmod(0o700)
            assert is_as_before(cache)
            cache.close()

    assert run(work) == 0


def test_a_directory_that_was_removed(cache: FileBasedCache) -> None:
    shutil.rmtree(cache.cache_dir)
    assert cache.get("a") is None
    assert cache.get_many(["a", "n"]) == {}
    assert not cache.exists("a")
    assert len(cache) == 0
    assert list(cache.keys()) == []
    for name in ("set", "set_many", "add", "incr", "tags", "invalidate_tags"):
        with pytest.raises(CacheConnectionError):
            WRITES[name](cache)
    assert not cache.cache_dir.exists()
    with pytest.raises(CacheConnectionError):
        cache.cleanup_expired()
    assert cache.get_or_set("a", lambda: "loaded") == "loaded"
    assert cache.get_many_or_set(["a", "b"], lambda keys: dict.fromkeys(keys, "loaded")) == {
        "a": "loaded",
        "b": "loaded",
    }
    lease: Any = cache.store.take_lease("a")
    cache.store.drop_lease(lease)
    assert not cache.cache_dir.exists()


def test_a_full_disk_can_be_cleared(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def fill(file: int, data: bytes) -> int:
        if names_in(cache.cache_dir) - {path.name for path in cache.cache_dir.glob("*.tmp")}:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill)
        assert cache.clear() is True
        assert cache.set("a", 1) is True
    assert cache.stats.deletes == 2
    check_invariants(cache)


def test_a_value_is_loaded_where_it_cannot_be_stored(
    cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", Refusal("write", errno.ENOSPC, 0))
        assert cache.get_or_set("b", lambda: "loaded") == "loaded"
    assert "will not be stored" in caplog.text
    assert is_as_before(cache)


def test_a_directory_that_was_removed_and_made_anew(cache: FileBasedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks are other locks, so who still holds the old ones must not write there."""
    now = [1e6]
    monkeypatch.setattr("cachery.backends.file_based.site.since_boot", lambda: now[0])
    shutil.rmtree(cache.cache_dir)
    with file_cache(cache.cache_dir) as anew:
        assert anew.store.site is not cache.store.site
        for _ in range(2):
            with pytest.raises(CacheConnectionError, match="open it anew"):
                cache.set("a", "of the old one")
            now[0] += 0.1
        assert anew.set("a", "of the new one") is True
        assert cache.get("a") == anew.get("a") == "of the new one"
        check_invariants(anew)


def test_a_value_that_cannot_be_serialized_touches_nothing(cache: FileBasedCache) -> None:
    writes: list[Callable[[], object]] = [
        lambda: cache.set("a", lambda: 1),
        lambda: cache.add("b", lambda: 1),
        lambda: cache.set_many({"a": "new", "b": lambda: 1}),
    ]
    for write in writes:
        with pytest.raises(CacheSerializationError):
            write()
        assert is_as_before(cache)


def test_serializers_work_while_nothing_is_locked(tmp_path: Path) -> None:
    from cachery.serializers import CacheSerializer  # noqa: PLC0415 - for one test

    class Nosy(CacheSerializer):
        name = "nosy"

        def serialize(self, value: Any) -> bytes:
            caches[0].set("seen", 1)
            caches[0].incr("n")
            return str(value).encode()

        def deserialize(self, data: bytes) -> Any:
            caches[0].incr("m")
            return data.decode()

    caches = [file_cache(tmp_path, serializer=Nosy())]
    cache = caches[0]
    assert cache.set("seen", "text") is True
    assert cache.add("a", "text") is True
    assert cache.get("a") == "text"
    assert cache.get_many(["n", "m"]) == {"n": 2, "m": 1}
    cache.close()


def test_what_is_no_place_for_a_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheConnectionError, match="is a file"):
        file_cache(tmp_path / "file")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / ".locks").mkdir()
    with pytest.raises(CacheConnectionError, match="cannot open"):
        file_cache(tmp_path / "locks")
    with pytest.raises(CacheValueError, match="place"):
        FileBasedCache(5, secret=SECRET)  # type: ignore[arg-type]
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(CacheConnectionError, match="everybody may write"):
        file_cache(tmp_path / "open")


def test_a_format_of_a_later_version_is_refused(tmp_path: Path) -> None:
    file_cache(tmp_path).close()
    said = (tmp_path / "cachery.json").read_text()
    (tmp_path / "cachery.json").write_text(said.replace('"format": 1', '"format": 2'))
    with pytest.raises(CacheConnectionError, match="upgrade"):
        file_cache(tmp_path)
    (tmp_path / "cachery.json").write_text(said.replace("file_based", "disk"))
    with pytest.raises(CacheConnectionError, match="of the kind 'disk'"):
        file_cache(tmp_path)
