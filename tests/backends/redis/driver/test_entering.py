"""Getting in: passwords, users, TLS, sockets; and what comes out where one does not get in. Both kinds of links."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis
import redis.asyncio
from tests.backends.redis.driver.asking import KINDS, Kind, answers, keys_in
from tests.backends.redis.driver.local_servers import Shared, free_port, tell

from cachery import CacheConnectionError, CacheTimeoutError
from cachery.backends.redis.driver.address import address_of
from cachery.backends.redis.link import Command, ErrorReply

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_commands_are_answered_in_their_order(kind: Kind, port: int) -> None:
    commands = [("SET", "a", 1), ("INCR", "a"), ("GET", b"a"), ("GET", "nothing"), ("SET", "f", 1.5), ("GET", "f")]
    assert answers(kind, address_of("127.0.0.1", port), commands) == [[b"OK", 2, b"2", None, b"OK", b"1.5"]]


def test_no_commands_no_replies(kind: Kind) -> None:
    assert answers(kind, address_of("127.0.0.1", free_port()), []) == [[]]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("EVALSHA", "0" * 40, 0), "NOSCRIPT "),
        (("HGET", "text", "field"), "WRONGTYPE "),
        (("NONSENSE",), "ERR unknown command"),
        (("EVAL", "return redis.error_reply('MINE own code')", 0), "MINE own code"),
    ],
)
def test_a_refusal_is_a_reply_that_begins_with_its_code(
    kind: Kind, port: int, command: tuple[str, ...], code: str
) -> None:
    address = address_of("127.0.0.1", port)
    ((_, refused, after),) = answers(kind, address, [("SET", "text", "t"), command, ("GET", "text")])
    assert isinstance(refused, ErrorReply)
    assert refused.text.startswith(code)
    assert after == b"t"


def test_what_no_server_could_read_is_refused_before_it_is_sent(kind: Kind, port: int) -> None:
    with pytest.raises(TypeError):
        answers(kind, address_of("127.0.0.1", port), [("SET", "a", None)])  # type: ignore[list-item]


def test_large_values_and_many_commands(kind: Kind, port: int) -> None:
    value = bytes(range(256)) * 20_000
    commands: list[Command] = [("SET", "large", value), *[("SET", f"key:{number}", number) for number in range(3000)]]
    (_, (large,), many) = answers(
        kind,
        address_of("127.0.0.1", port),
        commands,
        [("GET", "large")],
        [("GET", f"key:{number}") for number in range(3000)],
    )
    assert large == value
    assert many == [str(number).encode() for number in range(3000)]


def test_a_database_of_its_own(kind: Kind, port: int) -> None:
    answers(kind, address_of("127.0.0.1", port, db=3), [("SET", "here", 1)])
    assert answers(kind, address_of("127.0.0.1", port), [("GET", "here")]) == [[None]]
    assert answers(kind, address_of(f"redis://127.0.0.1:{port}/3"), [("GET", "here")]) == [[b"1"]]


def test_over_a_unix_socket(kind: Kind, shared: Shared) -> None:
    assert answers(kind, address_of(f"unix://{shared.path}"), [("PING",)]) == [[b"PONG"]]


def test_over_tls(kind: Kind, shared: Shared) -> None:
    options = {"ssl_ca_certs": shared.authority}
    address = address_of("localhost", shared.tls_port, ssl=True, connection_options=options)
    value = b"v" * 300_000
    assert answers(kind, address, [("SET", "tls", value)], [("GET", "tls")]) == [[b"OK"], [value]]


def test_a_certificate_that_nobody_vouches_for(kind: Kind, shared: Shared) -> None:
    with pytest.raises(CacheConnectionError, match=f"localhost:{shared.tls_port}"):
        answers(kind, address_of("localhost", shared.tls_port, ssl=True), [("PING",)])


def test_a_user_with_a_password(kind: Kind, shared: Shared) -> None:
    address = address_of(f"redis://ann:s3cr%23t%2F%40@127.0.0.1:{shared.port}")
    assert answers(kind, address, [("ACL", "WHOAMI")]) == [[b"ann"]]


@pytest.mark.parametrize("username", ["ann", "nobody", None])
def test_a_wrong_password_is_not_shown(kind: Kind, shared: Shared, username: str | None) -> None:
    address = address_of("127.0.0.1", shared.port, username=username, password="wr0ng")
    with pytest.raises(CacheConnectionError, match=f"127.0.0.1:{shared.port}") as caught:
        answers(kind, address, [("PING",)])
    assert "wr0ng" not in str(caught.value)
    assert isinstance(caught.value.__cause__, redis.AuthenticationError | redis.ResponseError)
    assert caught.value.context["was_sent"] is False


def test_a_password_that_was_left_out(kind: Kind, own_port: int) -> None:
    tell(own_port, "CONFIG", "SET", "requirepass", "s3cret")
    with pytest.raises(CacheConnectionError, match=r"NOAUTH|Authentication required"):
        answers(kind, address_of("127.0.0.1", own_port), [("GET", "key")])


def test_a_database_that_is_not_there(kind: Kind, port: int) -> None:
    with pytest.raises(CacheConnectionError, match="out of range"):
        answers(kind, address_of("127.0.0.1", port, db=999), [("PING",)])


def test_where_nobody_listens(kind: Kind) -> None:
    port = free_port()
    with pytest.raises(CacheConnectionError, match=f"127.0.0.1:{port}") as caught:
        answers(kind, address_of("127.0.0.1", port), [("PING",)])
    assert caught.value.__cause__ is not None
    assert (caught.value.context["host"], caught.value.context["port"]) == ("127.0.0.1", port)
    assert caught.value.context["was_sent"] is False


def test_a_socket_that_is_not_there(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(CacheConnectionError, match=r"none\.sock"):
        answers(kind, address_of(f"unix://{tmp_path / 'none.sock'}"), [("PING",)])


def test_a_server_that_says_nothing_is_given_up(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        address = address_of("127.0.0.1", port, timeout=0.1, connect_timeout=0.1, password="p")
        with pytest.raises(CacheTimeoutError, match=f"127.0.0.1:{port}"):
            answers(kind, address, [("PING",)])


def test_a_server_that_is_paused_is_given_up(kind: Kind, own_port: int) -> None:
    tell(own_port, "CLIENT", "PAUSE", "3000")
    address = address_of(
        "127.0.0.1", own_port, timeout=0.1, connect_timeout=5, connection_options={"driver_info": None}
    )
    with pytest.raises(CacheTimeoutError, match="did not answer in time") as caught:
        answers(kind, address, [("SET", "a", 1)])
    assert caught.value.context["was_sent"] is True


def test_what_is_no_server_at_all(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def serve() -> None:
            caller, _ = odd.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        address = address_of("127.0.0.1", odd.getsockname()[1], connection_options={"driver_info": None})
        with pytest.raises(CacheConnectionError):
            answers(kind, address, [("PING",)])
        thread.join()


def test_scanning_finds_every_key_that_matches(kind: Kind, port: int) -> None:
    address = address_of("127.0.0.1", port)
    answers(kind, address, [("SET", f"yes:{number}", 1) for number in range(1000)], [("SET", "no", 1)])
    assert set(keys_in(kind, address, b"yes:*", 100)) == {f"yes:{number}".encode() for number in range(1000)}


def test_keys_that_may_not_be_listed(kind: Kind, own_port: int) -> None:
    tell(own_port, "ACL", "SETUSER", "eve", "on", ">pw", "~*", "+@all", "-scan")
    with pytest.raises(CacheConnectionError, match="refuses to list its keys: NOPERM"):
        keys_in(kind, address_of("127.0.0.1", own_port, username="eve", password="pw"), b"*", 10)


def test_a_blocking_client_of_the_user(kind: Kind, port: int) -> None:
    with redis.Redis(port=port, decode_responses=True, protocol=3, max_connections=1) as client:
        client.set("a", "ü")
        refused = ("EVALSHA", "0" * 40, 0)
        first, second = answers(
            kind, address_of(client=client), [("GET", "a"), refused, ("PING",)], [("HGET", "a", "b")]
        )
        assert first[0] == "ü".encode()
        assert first[1].text.startswith("NOSCRIPT ")
        assert first[2] == b"PONG"
        assert second[0].text.startswith("WRONGTYPE ")
        assert client.get("a") == "ü"  # its pool is open, and its connections owe nothing


def test_a_client_of_loops_of_the_user(kind: Kind, port: int) -> None:
    client = redis.asyncio.Redis(port=port, db=2)
    answers(kind, address_of(client=client), [("SET", "a", 1)])
    assert answers(kind, address_of("localhost", port, db=2), [("GET", "a")]) == [[b"1"]]


def test_the_package_itself_does_not_need_the_driver(kind: Kind) -> None:
    program = "import sys; sys.modules['redis'] = None; import cachery, cachery.backends.redis.link"
    program += f"\ntry: import cachery.backends.redis.driver.{kind}\nexcept ImportError as error: print(error)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 'pip install "cachery[redis]"' in found.stdout
