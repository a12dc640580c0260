"""Caches that live as long as an app: opened, handed to its routes, closed."""
# Annotations are evaluated here: FastAPI finds no local name by its text.

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from fastapi import APIRouter, Depends, FastAPI
from tests.integrations.counting import app_of, memory
from tests.integrations.serving import Witness, served

import cachery
from cachery import CacheClosedError, CacheValueError, aio
from cachery.ai import InMemoryCache as AnswersInMemory
from cachery.integrations.fastapi import CacheLifespan, shared


def test_what_a_cache_holds_is_there_at_the_next_request_though_nobody_else_holds_it() -> None:
    with served(app_of(CacheLifespan(pages=memory))) as client:
        assert client.post("/visits").json() == 1
        gc.collect()
        assert client.post("/visits").json() == 2


def test_caches_open_in_their_order_and_close_in_the_other_one() -> None:
    story: list[str] = []
    caches = CacheLifespan(first=lambda: Witness("first", story), second=lambda: Witness("second", story))
    with served(app_of(caches, "second")) as client:
        assert client.post("/visits").json() == 1
        assert story == ["open first", "open second"]
    assert story[2:] == ["close second", "close first"]


def test_each_start_makes_new_caches() -> None:
    app = app_of(CacheLifespan(pages=memory))
    for _ in range(2):
        with served(app) as client:
            assert client.post("/visits").json() == 1


def test_all_are_closed_even_if_some_raise(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []
    late, early = RuntimeError("late"), RuntimeError("early")
    caches = CacheLifespan(
        a=lambda: Witness("a", story, late), b=lambda: Witness("b", story), c=lambda: Witness("c", story, early)
    )

    async def main() -> None:
        async with caches(FastAPI()):
            pass

    with pytest.raises(RuntimeError, match="late"):
        asyncio.run(main())
    told = [(record.getMessage(), record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert told == [("the cache 'c' could not be closed", early), ("the cache 'a' could not be closed", late)]
    assert story[3:] == ["close c", "close b", "close a"]


def test_what_the_app_raises_is_raised_when_all_is_closed() -> None:
    story: list[str] = []
    caches = CacheLifespan(a=lambda: Witness("a", story), b=lambda: cachery.InMemoryCache(10))

    async def main() -> None:
        async with caches(FastAPI()):
            raise KeyError("of the app")

    with pytest.raises(KeyError, match="of the app"):
        asyncio.run(main())
    assert story == ["open a", "close a"]


def test_one_that_is_cancelled_while_it_closes_keeps_no_other_from_it() -> None:
    story: list[str] = []

    class Slow(Witness):
        async def close(self) -> None:
            await super().close()
            closing.set()
            await asyncio.Event().wait()

    closing = asyncio.Event()
    caches = CacheLifespan(a=lambda: Witness("a", story), b=lambda: Slow("b", story))

    async def life() -> None:
        async with caches(FastAPI()):
            pass

    async def main() -> None:
        task = asyncio.create_task(life())
        await closing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert story == ["open a", "open b", "close b", "close a"]


def test_those_before_one_that_cannot_be_made_are_closed_again() -> None:
    story: list[str] = []

    def failing() -> aio.InMemoryCache:
        raise OSError("no room")

    caches = CacheLifespan(a=lambda: Witness("a", story), b=failing)
    app = FastAPI()

    async def main() -> None:
        for _ in range(2):  # and nothing is left of the first attempt
            with pytest.raises(OSError, match="no room"):
                await caches(app).__aenter__()
        with pytest.raises(CacheClosedError):
            caches.of(app)

    asyncio.run(main())
    assert story == ["open a", "close a"] * 2


async def by_coroutine() -> aio.InMemoryCache:
    return memory()


@asynccontextmanager
async def by_generator() -> AsyncIterator[aio.InMemoryCache]:
    async with memory() as cache:
        yield cache


@pytest.mark.parametrize("source", [memory, by_coroutine, by_generator, aio.InMemoryCache, aio.NullCache])
def test_ways_to_make_a_cache(source: Any) -> None:
    caches = CacheLifespan(pages=source)

    async def main() -> Any:
        app = FastAPI()
        async with caches(app):
            cache = caches.of(app)["pages"]
            await cache.set("a", 1)
        return cache

    cache = asyncio.run(main())
    with pytest.raises(CacheClosedError):
        cache.check_open()


def test_blocking_caches_are_closed_on_a_thread() -> None:
    caches = CacheLifespan(pages=lambda: cachery.InMemoryCache(10))
    app = FastAPI(lifespan=caches)

    @app.post("/visits")
    def visit(cache: Annotated[Any, Depends(caches.dependency("pages"))]) -> int:
        made.append(cache)
        count: int = cache.incr("visits")
        return count

    made: list[Any] = []
    with served(app) as client:
        assert [client.post("/visits").json() for _ in range(2)] == [1, 2]
    with pytest.raises(CacheClosedError):
        made[0].get("visits")


def test_a_cache_that_has_nothing_to_close_is_fine() -> None:
    class Closing(AnswersInMemory):
        is_closed = False

        def close(self) -> None:  # type: ignore[override]
            self.is_closed = True

    caches = CacheLifespan(plain=AnswersInMemory, closing=Closing)

    async def main() -> Any:
        app = FastAPI()
        async with caches(app):
            return caches.of(app)["closing"]

    assert asyncio.run(main()).is_closed


@pytest.mark.usefixtures("fresh_process")
def test_a_shared_cache_stays_open() -> None:
    caches = CacheLifespan(pages=shared(lambda: aio.get_cache("pages")))
    app = app_of(caches)
    for count in (1, 2):
        with served(app) as client:
            assert client.post("/visits").json() == count
    assert cachery.get_cache("pages").get("visits") == 2


@pytest.mark.usefixtures("fresh_process")
def test_a_named_cache_that_is_not_shared_is_closed() -> None:
    with served(app_of(CacheLifespan(pages=lambda: aio.get_cache("pages")))) as client:
        named = cachery.get_cache("pages")
        assert client.post("/visits").json() == named.get("visits") == 1
    with pytest.raises(CacheClosedError):
        named.get("visits")
    assert cachery.get_cache("pages") is not named


def test_a_cache_given_as_it_is_goes_with_the_first_app() -> None:
    caches = CacheLifespan(pages=memory())
    app = app_of(caches)
    with served(app) as client:
        assert client.post("/visits").json() == 1
    with pytest.raises(CacheValueError, match="'pages' goes with the first app that started: give a function"):
        asyncio.run(caches(app).__aenter__())


def test_within_a_lifespan_of_ones_own() -> None:
    story: list[str] = []
    caches = CacheLifespan(pages=lambda: Witness("pages", story))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        async with caches(app):
            await caches.of(app)["pages"].set("visits", 41)
            story.append("start")
            yield {"name": "of the app"}
            story.append("end")

    app = app_of(caches)
    app.router.lifespan_context = lifespan
    with served(app) as client:
        assert client.post("/visits").json() == 42
    assert story == ["open pages", "start", "end", "close pages"]


def test_a_router_may_bring_its_caches_along() -> None:
    caches = CacheLifespan(pages=memory)
    router = APIRouter(lifespan=caches)

    @router.post("/visits")
    async def visit(cache: Annotated[Any, Depends(caches.dependency("pages"))]) -> int:
        count: int = await cache.incr("visits")
        return count

    app = FastAPI()
    app.include_router(router, prefix="/api")
    with served(app) as client:
        assert [client.post("/api/visits").json() for _ in range(2)] == [1, 2]


def test_outside_of_the_lifespan_it_is_said() -> None:
    caches = CacheLifespan(pages=memory)
    app = FastAPI()

    async def main() -> None:
        with pytest.raises(CacheClosedError, match=r"FastAPI\(lifespan=caches\)"):
            caches.of(app)
        async with caches(app):
            with pytest.raises(CacheClosedError, match="has not started or has ended"):
                caches.of(FastAPI())
            with pytest.raises(CacheClosedError, match="open in another event loop"):
                await asyncio.to_thread(lambda: asyncio.run(_of(caches, app)))
            with pytest.raises(CacheValueError, match="open for this app already"):
                await caches(app).__aenter__()
            assert list(caches.of(app)) == ["pages"]
        with pytest.raises(CacheClosedError, match="has ended"):
            caches.of(app)

    asyncio.run(main())


async def _of(caches: CacheLifespan, app: FastAPI) -> Any:
    return caches.of(app)


@pytest.mark.parametrize("source", [None, 7, "redis://localhost", object(), {}])
def test_what_is_no_cache_is_refused_at_once(source: Any) -> None:
    with pytest.raises(CacheValueError, match="pages is a cache, or a function"):
        CacheLifespan(pages=source)
    with pytest.raises(CacheValueError, match="shared takes a cache"):
        shared(source)


@pytest.mark.parametrize("source", [lambda: None, lambda: 7, shared(lambda: None)])
def test_a_function_that_makes_no_cache_is_refused(source: Any) -> None:
    with pytest.raises(CacheValueError, match=r"what is to be the cache 'pages' is (NoneType|int), no cache"):
        asyncio.run(CacheLifespan(pages=source)(FastAPI()).__aenter__())


def test_without_the_extra_it_says_what_to_install() -> None:
    source = str(Path(cachery.__file__).parents[1])
    attempt = "import cachery.integrations.fastapi"
    done = subprocess.run(
        [sys.executable, "-S", "-c", attempt],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'ImportError: fastapi is not installed: pip install "cachery[fastapi]"' in done.stderr
