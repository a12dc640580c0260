"""The caches of an app, in its routes."""
# Annotations are evaluated here: FastAPI finds no local name by its text.

import asyncio
from typing import Annotated, Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from fastapi import Depends, FastAPI, WebSocket
from tests.integrations.counting import app_of, memory
from tests.integrations.serving import served

from cachery import CacheValueError
from cachery.ai import AIResponseCache
from cachery.integrations.fastapi import CacheLifespan


def test_an_app_mounted_in_another_has_the_caches_of_that() -> None:
    caches = CacheLifespan(pages=memory)
    app, inner = app_of(caches), app_of(caches)
    app.mount("/inner", inner)
    with served(app) as client:
        assert [client.post(path).json() for path in ("/visits", "/inner/visits", "/visits")] == [1, 2, 3]


def test_two_apps_have_a_cache_each() -> None:
    caches = CacheLifespan(pages=memory)
    with served(app_of(caches)) as one, served(app_of(caches)) as other:
        assert [client.post("/visits").json() for client in (one, one, other)] == [1, 2, 1]


def test_one_app_in_two_loops_has_a_cache_in_each() -> None:
    app = app_of(CacheLifespan(pages=memory))
    with served(app) as one, served(app) as other:
        assert [client.post("/visits").json() for client in (one, one, other)] == [1, 2, 1]


def test_a_route_without_the_lifespan_fails_clearly(caplog: pytest.LogCaptureFixture) -> None:
    caches = CacheLifespan(pages=memory)
    app = app_of(caches)
    other = FastAPI(routes=app.routes)
    with served(other) as client:
        assert client.post("/visits").status_code == 500
    assert "write FastAPI(lifespan=caches)" in caplog.text


def test_a_web_socket_has_the_caches_too() -> None:
    caches = CacheLifespan(pages=memory)
    app = FastAPI()

    @app.websocket("/live")
    async def live(socket: WebSocket, cache: Annotated[Any, Depends(caches.dependency("pages"))]) -> None:
        await socket.accept()
        await socket.send_json(await cache.incr("visits"))
        await socket.close()

    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/live", "headers": [], "query_string": b"", "subprotocols": []}
        async with caches(app):
            await app(scope, receive, send)

    asyncio.run(main())
    assert [message.get("text") for message in sent] == [None, "1", None]


def test_a_dependency_can_be_replaced_in_tests() -> None:
    caches = CacheLifespan(pages=memory)
    app = app_of(caches)
    stand_in = memory()
    app.dependency_overrides[caches.dependency("pages")] = lambda: stand_in
    with served(app) as client:
        assert client.post("/visits").json() == 1
    assert stand_in.blocking.get("visits") == 1


def test_a_name_that_there_is_not_is_refused() -> None:
    caches = CacheLifespan(pages=memory, notes=memory)
    with pytest.raises(CacheValueError, match="no cache 'page' among those of this lifespan: pages, notes"):
        caches.dependency("page")
    assert repr(caches) == "<CacheLifespan of pages, notes>"


def test_answers_are_kept_through_the_whole_life_of_the_app() -> None:
    caches = CacheLifespan(answers=lambda: AIResponseCache(redis_url=None))
    app = FastAPI(lifespan=caches)
    calls: list[str] = []

    @app.get("/summary")
    async def summary(text: str, cache: Annotated[AIResponseCache, Depends(caches.dependency("answers"))]) -> Any:
        return await cache.get_or_compute(text, "summarize", {}, lambda: calls.append(text) or {"summary": text})

    with served(app) as client:
        answers = [client.get("/summary", params={"text": "a document"}).json() for _ in range(3)]
    assert [answer["cache_hit"] for answer in answers] == [False, True, True]
    assert calls == ["a document"]
