"""What the suite for all caches cannot say: decorators of both kinds, restarts, namespaces, races."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

import cachery.aio
from cachery import CacheInvalidationError, CacheValueError, DiskCache, InMemoryCache, NamespacedCache, TieredCache
from cachery.invalidation import File, Key, Version

CHILD = """
import sys
from cachery import DiskCache
from cachery.invalidation import File, Key, Version
with DiskCache(sys.argv[1]) as cache:
    cache.set("stat", 1, depends_on=[File(sys.argv[2])])
    cache.set("hash", 2, depends_on=[File(sys.argv[2], "hash")])
    cache.set("version", 3, depends_on=[Version("prompt", 1)])
    cache.set("a", 1)
    cache.set("b", 4, depends_on=[Key("a")])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("one")
    return path


def test_a_decorated_function_depends_on_what_its_arguments_say(file: Path) -> None:
    cache = InMemoryCache()
    calls: list[str] = []

    @cache.cached(depends_on=[File("{path}"), "reader:{kind}"])
    def read(path: str, kind: str = "text") -> str:
        calls.append(kind)
        return Path(path).read_text()

    assert [read(str(file)), read(str(file)), read(str(file), "html")] == ["one"] * 3
    file.write_text("two, and longer")
    assert read(str(file)) == read(str(file), "html") == "two, and longer"
    cache.invalidate_tags("reader:html")
    read(str(file))
    read(str(file), "html")
    assert calls == ["text", "html"] * 2 + ["html"]


def test_sources_may_be_a_function_of_the_call(file: Path) -> None:
    cache = InMemoryCache()

    @cache.cached(depends_on=lambda paths: [File(path) for path in paths])
    def joined(paths: tuple[str, ...]) -> str:
        return "".join(Path(path).read_text() for path in paths)

    assert joined((str(file), str(file))) == "oneone"
    file.write_text("2")
    assert joined((str(file), str(file))) == "22"


def test_a_template_that_names_no_argument_is_refused_at_once() -> None:
    with pytest.raises(CacheValueError, match="there is no parameter 'name'"):
        InMemoryCache().cached(depends_on=[Key("{name}")])(lambda path: path)


def test_asynchronous_functions_depend_on_things_too(file: Path, tmp_path: Path) -> None:
    async def main() -> None:
        for cache in (cachery.aio.InMemoryCache(), cachery.aio.DiskCache(tmp_path / "disk")):
            count = 0

            @cache.cached(key="read", depends_on=[file, Key("other")])
            async def read() -> int:
                nonlocal count
                count += 1
                return count

            assert [await read(), await read()] == [1, 1]
            await asyncio.to_thread(file.write_text, "longer" * (count + 1) + type(cache).__name__)
            assert [await read(), await read()] == [2, 2]
            await cache.set("other", 1)
            assert [await read(), await read()] == [3, 3]
            await cache.close()

    asyncio.run(main())


def test_sources_are_looked_at_across_restarts(file: Path, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    subprocess.run([sys.executable, "-c", CHILD, place, file], check=True)
    Version("prompt", 1)
    with DiskCache(place) as cache:
        assert cache.get_many(["stat", "hash", "version", "b"]) == {"stat": 1, "hash": 2, "version": 3, "b": 4}
    os.utime(file, (1, 1))
    with DiskCache(place) as cache:
        assert cache.get_many(["stat", "hash"]) == {"hash": 2}
        Version("prompt", 2)
        assert cache.get("version") is None
        assert cache.cleanup_expired() == 2
    file.write_text("two")
    with DiskCache(place) as cache:
        assert cache.get("hash") is None
        cache.set("a", 2)
        assert cache.get("b") is None


def test_memory_before_a_disk_looks_too(file: Path, tmp_path: Path) -> None:
    with TieredCache(InMemoryCache(), DiskCache(tmp_path / "disk")) as cache:
        cache.set("a", 1, depends_on=[file])
        assert [cache.get("a") for _ in range(3)] == [1, 1, 1]
        file.write_text("two, and longer")
        assert cache.get("a") is None


def test_keys_and_names_belong_to_their_namespace_and_files_to_none(file: Path) -> None:
    base = InMemoryCache()
    part, other = NamespacedCache(base, "part"), NamespacedCache(base, "other")
    for cache in (part, other):
        cache.set("a", 1)
        cache.set("by key", 1, depends_on=[Key("a")])
        cache.set("by name", 1, depends_on=["schema"])
        cache.set("by file", 1, depends_on=[File(file, "never")])
        cache.get_or_set("loaded", lambda: 1, depends_on=[Key("a"), "schema"])
    part.set("a", 2)
    assert sorted(part.keys()) == ["a", "by file", "by name"]
    part.invalidate_tags("schema")
    assert sorted(part.keys()) == ["a", "by file"]
    assert len(other) == 5
    part.invalidate_tags(File(file).tag)
    assert "by file" not in other


def test_a_source_that_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    cache = InMemoryCache()
    cache.set("a", 1)
    with pytest.raises(CacheInvalidationError, match="is no regular file"):
        cache.set("a", 2, depends_on=[File(tmp_path, "hash")])
    assert cache.get("a") == 1


def test_a_directory_has_changed_when_a_name_comes_or_goes(tmp_path: Path) -> None:
    cache = InMemoryCache()
    place = tmp_path / "place"
    place.mkdir()
    os.utime(place, (1, 1))
    cache.set("a", 1, depends_on=[place])
    (place / "new").touch()
    assert cache.get("a") is None


def test_readers_and_writers_of_what_depends_on_a_file_get_along(file: Path) -> None:
    cache = InMemoryCache(max_size=8)
    barrier = Barrier(4)
    failures: list[BaseException] = []

    def hammer(number: int) -> None:
        barrier.wait()
        try:
            for turn in range(400):
                key = f"k{turn % 12}"
                if number == 0:
                    file.write_text("x" * (turn % 7))
                elif number == 1:
                    cache.set(key, turn, depends_on=[file, Key(f"k{(turn + 5) % 12 + 100}")])
                else:
                    cache.get(key)
                    cache.delete(key) if turn % 5 == 0 else cache.incr("n")
        except BaseException as error:  # noqa: BLE001 - told at the end
            failures.append(error)

    threads = [Thread(target=hammer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cache.audit() == []
