"""An app that counts visits in a cache of its lifespan."""
# Annotations are evaluated here: FastAPI finds no local name by its text.

from typing import Annotated, Any

from fastapi import Depends, FastAPI

from cachery import aio
from cachery.integrations.fastapi import CacheLifespan


def app_of(caches: CacheLifespan, name: str = "pages", **options: Any) -> FastAPI:
    """Return an app that counts visits in the cache of that name."""
    app = FastAPI(lifespan=caches, **options)

    @app.post("/visits")
    async def visit(cache: Annotated[aio.InMemoryCache, Depends(caches.dependency(name))]) -> int:
        return await cache.incr("visits")

    return app


def memory() -> aio.InMemoryCache:
    return aio.InMemoryCache(10)
