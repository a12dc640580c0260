"""The server as clients of the SDK see it: in a child process, over both transports."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.servers.redis_servers import free_port

import cachery
from cachery import CacheValueError
from cachery.mcp_tools import MOST_BYTES, TOOLS
from cachery.settings import VARIABLES

pytest.importorskip("mcp", reason="needs the extra mcp")

import httpx2
from mcp.client.streamable_http import streamable_http_client

from cachery.mcp import build_server, http_app, serve
from cachery.mcp.guard import Guard
from mcp import Client, StdioServerParameters

WAIT = 30.0
TOKEN = "0123456789abcdef0123456789abcdef"
SOURCE = str(Path(cachery.__file__).parents[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    return {**kept, "PYTHONPATH": SOURCE, "CACHE_DIR": str(tmp_path), "CACHERY_MCP_TOKEN": TOKEN}


@asynccontextmanager
async def over_stdio(environment: dict[str, str]) -> AsyncIterator[Any]:
    command = StdioServerParameters(command=sys.executable, args=["-m", "cachery", "mcp"], env=environment)
    async with Client(command, read_timeout_seconds=WAIT) as client:
        yield client


@pytest.fixture
def address(environment: dict[str, str]) -> Iterator[str]:
    """Start a server at a free port; return where it is."""
    port = free_port()
    command = [sys.executable, "-m", "cachery", "mcp", "--http", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr is not None
        try:
            said = []
            for line in server.stderr:
                said.append(line)
                if "running on" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()
            server.stderr.read()
            server.wait(WAIT)


@asynccontextmanager
async def over_http(address: str, mode: str = "auto", **headers: str) -> AsyncIterator[Any]:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=WAIT) as web,
        Client(streamable_http_client(address, http_client=web), mode=mode, read_timeout_seconds=WAIT) as client,
    ):
        yield client


async def call(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    answer: dict[str, Any] = result.structured_content
    assert result.is_error == (answer["status"] == "error")
    return answer


async def use_every_tool(client: Any) -> None:
    listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == list(TOOLS)
    assert (await call(client, "cache_get", key="a"))["status"] == "miss"
    assert (await call(client, "cache_set", key="a", value={"n": [1, None]}, tags=["t"]))["status"] == "stored"
    found = await call(client, "cache_get", key="a")
    assert (found["status"], found["value"]) == ("hit", {"n": [1, None]})
    assert 0 < found["ttl_remaining"] <= 301
    assert (await call(client, "cache_stats"))["statistics"]["hits"] == 1
    assert (await call(client, "cache_invalidate_by_tag", tags=["t"]))["invalidated_count"] == 1
    assert (await call(client, "cache_delete", key="a"))["status"] == "not_found"
    described = await call(
        client,
        "call_module_function",
        module="cache",
        function="get_cache",
        kwargs={"name": "llm_responses", "backend": "in_memory"},
    )
    assert described["result"] == {"name": "llm_responses", "backend": "in_memory", "size": 0}


async def refuse_what_is_wrong(client: Any) -> None:
    await call(client, "cache_set", key="a", value="old")
    for change in ({"key": 7}, {"ttl": "soon"}, {"value": "x" * MOST_BYTES}, {"tags": "t"}, {"nothing": 1}):
        answer = await call(client, "cache_set", **{"key": "a", "value": "new", **change})
        assert answer["status"] == "error"
        assert answer["message"]
    assert (await call(client, "cache_get", key="a"))["value"] == "old"
    assert (await call(client, "cache_set", key="a"))["error_type"] == "TypeError"
    assert "no tool" in (await call(client, "nothing"))["message"]


def test_standard_input_and_output(environment: dict[str, str]) -> None:
    async def use() -> None:
        async with over_stdio(environment) as client:
            await use_every_tool(client)
            await refuse_what_is_wrong(client)

    asyncio.run(use())


def test_http_with_the_token(address: str) -> None:
    async def use() -> None:
        async with over_http(address, Authorization=f"Bearer {TOKEN}") as client:
            await use_every_tool(client)
            await refuse_what_is_wrong(client)

    asyncio.run(use())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_http_without_the_token_only_reads(address: str, mode: str) -> None:
    async def use(headers: dict[str, str]) -> None:
        async with over_http(address, mode, Authorization=f"Bearer {TOKEN}") as client:
            await call(client, "cache_set", key="a", value=1, tags=["t"])
        async with over_http(address, mode, **headers) as client:
            for name, arguments in (
                ("cache_set", {"key": "a", "value": 2}),
                ("cache_delete", {"key": "a"}),
                ("cache_invalidate_by_tag", {"tags": ["t"]}),
                ("call_module_function", {"module": "cache", "function": "get_cache", "kwargs": {"name": "new"}}),
                ("call_module_function", {"module": "cache", "function": "cache_delete", "kwargs": {"key": "a"}}),
            ):
                assert (await call(client, name, **arguments))["error_type"] == "Unauthorized"
            assert (await call(client, "cache_get", key="a"))["value"] == 1
            listed = await call(client, "call_module_function", module="cache", function="list_caches")
            assert [cache["name"] for cache in listed["result"]] == ["default"]

    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        asyncio.run(use(headers))


def test_pages_and_names_from_elsewhere_are_refused(address: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepted = {"Accept": "application/json, text/event-stream"}
    with httpx2.Client(headers=accepted, timeout=WAIT) as web:
        assert web.post(address, json=body, headers={"Origin": "https://evil.example"}).status_code == 403
        assert web.post(address, json=body, headers={"Origin": "null"}).status_code == 403
        assert web.post(address, json=body, headers={"Host": "evil.example"}).status_code == 421
        assert web.post(address, json=body, headers={"Origin": "http://localhost:3000"}).status_code not in (403, 421)


def test_a_server_without_a_token_only_reads() -> None:
    async def use() -> None:
        async with Client(build_server()) as client:  # in this process: as over standard input and output
            assert (await call(client, "cache_stats", cache_name="nobody"))["status"] == "not_found"

    asyncio.run(use())
    request = SimpleNamespace(headers={})
    refused = Guard(None).refusal_of(TOOLS["cache_set"], {}, request)
    assert refused is not None
    assert "only reads" in refused["message"]
    assert Guard(None).refusal_of(TOOLS["cache_get"], {}, request) is None
    assert Guard(TOKEN).refusal_of(TOOLS["cache_set"], {}, None) is not None


def test_where_others_can_reach_it_reading_needs_the_token_too() -> None:
    def status_of(guard: Guard, header: str) -> Any:
        refused = guard.refusal_of(TOOLS["cache_get"], {}, SimpleNamespace(headers={"authorization": header}))
        return None if refused is None else refused["error_type"]

    assert status_of(Guard(TOKEN), "") is None
    assert status_of(Guard(TOKEN, is_closed=True), "") == "Unauthorized"
    assert status_of(Guard(TOKEN, is_closed=True), f"Bearer {TOKEN}") is None


@pytest.mark.parametrize("options", [{"host": "0.0.0.0"}, {"allowed_hosts": ["cache.example.com:*"]}])  # noqa: S104
def test_an_application_for_others_is_closed(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    build = build_server
    monkeypatch.setattr("cachery.mcp.server.build_server", lambda **said: made.append(said) or build(**said))
    http_app(token=TOKEN, **options)
    http_app(token=TOKEN)
    assert [said["is_closed"] for said in made] == [True, False]
    with pytest.raises(CacheValueError, match="needs a token"):
        http_app(**options)


def test_a_server_made_for_http_trusts_nobody_in_this_process_either() -> None:
    async def use() -> None:
        async with Client(build_server(is_over_http=True, token=TOKEN)) as client:
            assert (await call(client, "cache_set", key="a", value=1))["error_type"] == "Unauthorized"

    asyncio.run(use())


def test_what_is_unsafe_is_refused() -> None:
    for token in ("short", "with a space in it here", "é" * 20):
        with pytest.raises(CacheValueError, match="token"):
            build_server(token=token)
    for host in ("0.0.0.0", "192.168.0.1", "::"):  # noqa: S104 - refused
        with pytest.raises(CacheValueError, match="needs a token"):
            http_app(host=host)
    http_app(host="192.168.0.1", token=TOKEN, allowed_hosts=["cache.example.com:*"])
    with pytest.raises(CacheValueError, match="a token is text"):
        serve("http", token=3)  # type: ignore[arg-type]
    for port in (-1, 70000, "a", True):
        with pytest.raises(CacheValueError, match="port"):
            serve("http", port=port)  # type: ignore[arg-type]
    with pytest.raises(CacheValueError, match="stdio"):
        serve("carrier pigeon")  # type: ignore[arg-type]


def command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cachery", "mcp", *arguments],
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_one_line(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = command(environment, "--http", "--port", str(other.getsockname()[1]))
    assert done.returncode == 2
    assert done.stderr.startswith("cachery: the server cannot listen at 127.0.0.1:")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "--port goes with --http"),
        (["--host", "127.0.0.1"], "--host goes with --http"),
        (["--allowed-host", "a:1"], "--allowed-host goes with --http"),
        (["--http", "--token-env", "TYPO_OF_A_TEST"], "the variable TYPO_OF_A_TEST is not set"),
    ],
)
def test_options_that_do_nothing_are_wrong_use(environment: dict[str, str], arguments: list[str], said: str) -> None:
    done = command(environment, *arguments)
    assert (done.returncode, said in done.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_an_interruption_ends_it_quietly(environment: dict[str, str]) -> None:
    started = [sys.executable, "-m", "cachery", "mcp", "--http", "--port", "0"]
    with subprocess.Popen(started, env=environment, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr is not None
        while "startup complete" not in (line := server.stderr.readline()):
            assert line
        server.send_signal(signal.SIGINT)
        said = server.stderr.read()
        assert server.wait(WAIT) == 0
    assert "Traceback" not in said


def test_the_command_says_what_is_missing(environment: dict[str, str], tmp_path: Path) -> None:
    blocker = tmp_path / "sitecustomize.py"
    blocker.write_text("import sys\nsys.modules['mcp'] = None\n", encoding="ascii")
    done = subprocess.run(
        [sys.executable, "-m", "cachery", "mcp"],
        env={**environment, "PYTHONPATH": f"{SOURCE}{os.pathsep}{tmp_path}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "cachery[mcp]"' in done.stderr
