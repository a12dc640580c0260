"""The ground for tests against Redis: a real server answers."""

from __future__ import annotations

import socket


def test_a_real_server_answers(redis_port: int) -> None:
    with socket.create_connection(("127.0.0.1", redis_port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(64) == b"+PONG\r\n"
