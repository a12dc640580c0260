"""The example of the LLM starter: with Redis, without, and with Redis killed and restarted in the middle."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.redis_servers import RedisServer, free_port

import cachery
from cachery.ai import AIResponseCache

EXAMPLE = Path(__file__).parents[2] / "examples" / "llm_starter" / "quick_start.py"
ASKED: dict[str, Any] = {"text": "Document to process", "operation": "summarize", "options": {"max_length": 100}}
SAID = "Brief summary True 0\n"


def as_a_script(port: int, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the example with warnings as errors, its server at ``port``."""
    source = EXAMPLE.read_text(encoding="utf-8")
    assert source.count("localhost:6379") == 1
    script = directory / "quick_start.py"
    script.write_text(source.replace("localhost:6379", f"localhost:{port}"), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(cachery.__file__).parents[1])},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def found_at(port: int) -> Any:
    async def main() -> Any:
        async with AIResponseCache(f"redis://localhost:{port}") as cache:
            return await cache.get_cached_response(**ASKED)

    return asyncio.run(main())


def test_with_redis(own_redis: RedisServer, tmp_path: Path) -> None:
    done = as_a_script(own_redis.port, tmp_path)
    assert (done.returncode, done.stdout) == (0, SAID)
    assert found_at(own_redis.port)["summary"] == "Brief summary"


def test_without_redis(tmp_path: Path) -> None:
    done = as_a_script(free_port(), tmp_path)
    assert (done.returncode, done.stdout) == (0, SAID)


def test_with_redis_killed_and_restarted_in_the_middle(own_redis: RedisServer) -> None:
    async def main() -> None:
        cache = AIResponseCache(redis_url=f"redis://localhost:{own_redis.port}")
        assert await cache.connect()
        own_redis.kill()
        await cache.cache_response(**ASKED, response={"summary": "Brief summary"})
        assert (await cache.get_cached_response(**ASKED))["summary"] == "Brief summary"
        own_redis.restart()
        while not await cache.connect():
            pass
        assert (await cache.get_cached_response(**ASKED))["summary"] == "Brief summary"
        await cache.close()  # tells the server what it missed

    asyncio.run(main())
    assert found_at(own_redis.port)["summary"] == "Brief summary"
