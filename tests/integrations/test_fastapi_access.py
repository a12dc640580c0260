"""Who may manage a cache over HTTP, and who may only look."""

from __future__ import annotations

import logging
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra fastapi")

from tests.integrations.managing import BEARER, KEY, READS, answers


def wrong_keys() -> list[str]:
    return ["x", KEY[:-1], KEY + "x", KEY.upper(), "x" * len(KEY), "x" * 5000, f'"{KEY}"', f"{KEY},{KEY}"]


WRONG: list[Any] = [
    *({"Authorization": f"Bearer {key}"} for key in wrong_keys()),
    *({"X-API-Key": key} for key in wrong_keys()),
    {"Authorization": KEY},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": "Bearer"},
    {"Authorization": ""},
    {"X-API-Key": ""},
    {"X-API-Key": "ключ".encode()},
    {"X-API-Key": b"\xff\xfe"},
]
RIGHT: list[Any] = [
    BEARER,
    {"Authorization": f"bearer  {KEY}"},
    {"X-API-Key": KEY},
    {**BEARER, "X-API-Key": "of a proxy"},
]


@pytest.mark.parametrize("read_access", ["key", "anonymous"])
def test_a_wrong_key_is_refused_everywhere(read_access: Any) -> None:
    with answers(read_access=read_access) as (cache, client):
        for headers in WRONG:
            for response in [
                client.post("/cache/invalidate", params={"all": "true"}, headers=headers),
                *(client.get(path, headers=headers) for path in READS),
            ]:
                assert (response.status_code, response.json()) == (401, {"detail": "this API key is not known"})
                assert response.headers["www-authenticate"] == "Bearer"
        assert cache.stats.size == 5


def test_without_a_key_nothing_is_told() -> None:
    with answers() as (cache, client):
        for response in [client.post("/cache/invalidate?all=true"), *map(client.get, READS)]:
            assert (response.status_code, response.json()) == (401, {"detail": "an API key is needed"})
            assert response.headers["www-authenticate"] == "Bearer"
        assert client.post("/cache/invalidate?all=perhaps").status_code == 401
        assert cache.stats.size == 5


def test_where_reading_is_for_all_writing_is_not() -> None:
    with answers(read_access="anonymous") as (cache, client):
        assert [client.get(path).status_code for path in READS] == [200] * 4
        assert client.post("/cache/invalidate?all=true").status_code == 401
        assert cache.stats.size == 5


@pytest.mark.parametrize("headers", RIGHT)
def test_a_right_key_opens_all(headers: Any) -> None:
    with answers() as (_, client):
        assert [client.get(path, headers=headers).status_code for path in READS] == [200] * 4
        assert client.post("/cache/invalidate?all=true", headers=headers).json()["keys_invalidated"] == 5


@pytest.mark.parametrize("key", ["schlüssel-für-alle", "鍵"])
def test_a_key_need_not_be_ascii(key: str) -> None:
    with answers(api_keys=[KEY, key]) as (_, client):
        shown = key.encode()
        for headers in ({b"X-API-Key": shown}, {b"Authorization": b"Bearer " + shown}):
            assert client.get("/cache/status", headers=headers).status_code == 200
        assert client.get("/cache/status", headers={b"X-API-Key": shown[:-1]}).status_code == 401


@pytest.mark.parametrize("keys", [None, "", (), [""], lambda: None, lambda: ["", " "]])
@pytest.mark.parametrize("read_access", ["key", "anonymous"])
def test_without_keys_nobody_may_change_anything(keys: Any, read_access: Any) -> None:
    with answers(api_keys=keys, read_access=read_access) as (cache, client):
        for headers in ({}, BEARER, {"X-API-Key": ""}, {"Authorization": "Bearer"}):
            response = client.post("/cache/invalidate?all=true", headers=headers)
            assert (response.status_code, cache.stats.size) == (403, 5)
            assert "no API key is configured" in response.json()["detail"]
        expected = 200 if read_access == "anonymous" else 403
        assert [client.get(path).status_code for path in READS] == [expected] * 4
        expected = 401 if read_access == "anonymous" else 403
        assert [client.get(path, headers=BEARER).status_code for path in READS] == [expected] * 4


def test_keys_are_rotated_while_the_app_runs() -> None:
    now = ["old"]

    async def read() -> list[str]:
        return now

    with answers(api_keys=read) as (_, client):
        assert client.get("/cache/status", headers={"X-API-Key": "old"}).status_code == 200
        now[:] = ["old", "new"]
        assert client.get("/cache/status", headers={"X-API-Key": "old"}).status_code == 200
        assert client.get("/cache/status", headers={"X-API-Key": "new"}).status_code == 200
        now[:] = ["new"]
        assert client.get("/cache/status", headers={"X-API-Key": "old"}).status_code == 401
        assert client.get("/cache/status", headers={"X-API-Key": "new"}).status_code == 200


@pytest.mark.parametrize("answer", [OSError("the vault is closed"), 7, ["two\nlines"]])
def test_keys_that_cannot_be_read_open_nothing(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    def read() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with answers(api_keys=read) as (cache, client):
        for response in [client.post("/cache/invalidate?all=true", headers=BEARER), client.get(READS[0])]:
            assert (response.status_code, response.json()) == (503, {"detail": "the API keys cannot be read"})
        assert cache.stats.size == 5
    assert "the API keys cannot be read, so requests are refused" in caplog.text


def test_no_key_is_written_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with answers() as (_, client):
        for headers in (BEARER, {"X-API-Key": "a-wrong-key"}):
            client.get("/cache/status", headers=headers)
            client.post("/cache/invalidate?operation=qa", headers=headers)
    told = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert told
    assert not [text for text in told if KEY in text or "a-wrong-key" in text or "text 1" in text]
