"""The example runs as its page says: by uvicorn, in a process of its own, which closes its caches when it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from tests.integrations.serving import WAIT
from tests.servers.redis_servers import HOST, RedisServer, free_port, wait_until

import cachery
from cachery.settings import VARIABLES

EXAMPLES = Path(__file__).parents[2] / "examples" / "llm_starter"
KEY = {"X-API-Key": "second"}


@contextmanager
def running(log: Path, **settings: str) -> Iterator[httpx.Client]:
    kept = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    source = str(Path(cachery.__file__).parents[1])
    port = free_port()
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "--port", str(port), "--app-dir", str(EXAMPLES)]
    environment = {**kept, "PYTHONPATH": source, "CACHE_API_KEYS": "first,second", **settings}
    with (
        log.open("w") as written,
        subprocess.Popen([*command, "fastapi_app:app"], env=environment, stderr=written, stdout=written) as server,
        httpx.Client(base_url=f"http://{HOST}:{port}", timeout=WAIT) as client,
    ):
        try:
            wait_until(lambda: "Uvicorn running" in log.read_text() or server.poll() is not None)
            yield client
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(WAIT)


def summaries(client: httpx.Client) -> list[bool]:
    answers = [client.post("/summaries", params={"text": "A document"}).json() for _ in range(2)]
    assert {answer["summary"] for answer in answers} == {"A document"}
    return [answer["cache_hit"] for answer in answers]


def test_in_memory(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(log) as client:
        assert summaries(client) == [False, True]
        assert client.get("/internal/cache/status").status_code == 401
        assert client.get("/internal/cache/status", headers=KEY).json()["redis"]["status"] == "disabled"
        response = client.post("/internal/cache/invalidate?operation=summarize", headers=KEY)
        assert response.json()["keys_invalidated"] == 1
        assert summaries(client) == [False, True]
    assert "Application shutdown complete" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_two_workers_share_answers_over_redis(tmp_path: Path, own_redis: RedisServer) -> None:
    url = f"redis://{HOST}:{own_redis.port}"
    with running(tmp_path / "one", REDIS_URL=url) as one, running(tmp_path / "other", REDIS_URL=url) as other:
        assert summaries(one) == [False, True]
        assert summaries(other) == [True, True]
        assert other.post("/internal/cache/invalidate?all=true", headers=KEY).json()["keys_invalidated"] == 1
        assert one.get("/internal/cache/status", headers=KEY).json()["redis"]["keys"] == 0
    for name in ("one", "other"):
        assert "Application shutdown complete" in (tmp_path / name).read_text()


def test_without_keys_nobody_manages_it(tmp_path: Path) -> None:
    with running(tmp_path / "log", CACHE_API_KEYS="") as client:
        for headers in ({}, KEY, {"X-API-Key": ""}):
            assert client.post("/internal/cache/invalidate?all=true", headers=headers).status_code == 403
