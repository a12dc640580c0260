"""The proxy: a network that delays, loses, cuts, resets and refuses when it is told to."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from cachery import CacheTimeoutError, CacheValueError
from cachery.testing import TcpProxy


class EchoServer:
    """Sends back what it gets, to any number of clients."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._stopped, self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._stopped, selectors.EVENT_READ)
            ready.register(self._listener, selectors.EVENT_READ)
            while all(self._answer(ready, key.fileobj) for key, _ in ready.select()):
                pass
            for key in list(ready.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]

    def _answer(self, ready: selectors.BaseSelector, end: object) -> bool:
        assert isinstance(end, socket.socket)
        if end is self._listener:
            ready.register(end.accept()[0], selectors.EVENT_READ)
            return True
        if end is self._stopped:
            return False
        try:
            data = end.recv(65536)
            end.sendall(data)
        except ConnectionError:
            data = b""
        if not data:
            ready.unregister(end)
            end.close()
        return True

    def close(self) -> None:
        self._stop.close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[TcpProxy]:
    with TcpProxy(*server.address) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with connected(proxy) as client:
        yield client


def connected(proxy: TcpProxy) -> socket.socket:
    """Return a client that has had an answer."""
    client = socket.create_connection(proxy.address, timeout=5)
    assert echoed(client, b"first")
    return client


def echoed(client: socket.socket, data: bytes) -> bool:
    client.sendall(data)
    return received(client, len(data)) == data


def received(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(65536)):
        data += more
    return data


def is_silent(client: socket.socket) -> bool:
    client.settimeout(0.05)
    try:
        return client.recv(1) is None
    except TimeoutError:
        return True
    finally:
        client.settimeout(5)


def test_bytes_go_both_ways(proxy: TcpProxy, client: socket.socket) -> None:
    assert echoed(client, bytes(range(256)) * 4096)
    assert (proxy.connections, proxy.accepted) == (1, 1)


def test_the_end_of_a_stream_is_carried(client: socket.socket) -> None:
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert received(client, 100) == b"last words"


def test_a_link_remembers_how_it_began(proxy: TcpProxy) -> None:
    with connected(proxy), connected(proxy) as other:
        echoed(other, b" SUBSCRIBE news")
        assert proxy.find(b"SUBSCRIBE").first_bytes == b"first SUBSCRIBE news"
        assert proxy.links[0].first_bytes == b"first"


def test_what_began_otherwise_is_not_found(proxy: TcpProxy) -> None:
    with connected(proxy), pytest.raises(CacheTimeoutError, match="SUBSCRIBE"):
        proxy.find(b"SUBSCRIBE", timeout=0)


def test_all_connections_are_cut_and_new_ones_carried(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut()
    assert client.recv(1) == b""
    assert proxy.connections == 0
    connected(proxy).close()


def test_a_reset_is_a_reset(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_one_link_is_cut(proxy: TcpProxy, client: socket.socket) -> None:
    with connected(proxy) as other:
        link = proxy.links[0]
        link.cut()
        link.cut()
        assert not link.is_open
        assert client.recv(1) == b""
        assert echoed(other, b"still here")


def test_one_link_is_reset(proxy: TcpProxy, client: socket.socket) -> None:
    with connected(proxy) as other:
        proxy.links[0].reset()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert echoed(other, b"still here")


def test_one_link_is_lost(proxy: TcpProxy, client: socket.socket) -> None:
    with connected(proxy) as other:
        proxy.links[0].black_hole()
        client.sendall(b"hello?")
        assert is_silent(client)
        assert echoed(other, b"still here")


def test_a_black_hole_answers_nothing_and_closes_nothing(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.black_hole()
    client.sendall(b"hello?")
    with socket.create_connection(proxy.address, timeout=5) as late:
        late.sendall(b"hello?")
        assert is_silent(client)
        assert is_silent(late)
        assert proxy.find(b"hello?").is_open


def test_after_a_black_hole_only_what_lost_nothing_goes_on(proxy: TcpProxy, client: socket.socket) -> None:
    with connected(proxy) as quiet:
        proxy.black_hole()
        client.sendall(b"hello?")
        assert is_silent(client)
        proxy.heal()
        assert echoed(quiet, b"hello")
        client.sendall(b"hello?")
        assert is_silent(client)
        connected(proxy).close()


def test_the_end_of_a_client_is_lost_in_a_black_hole(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.black_hole()
    client.close()
    with connected_silently(proxy) as late:
        assert is_silent(late)
        assert proxy.connections == 2


def connected_silently(proxy: TcpProxy) -> socket.socket:
    client = socket.create_connection(proxy.address, timeout=5)
    client.sendall(b"late")
    proxy.find(b"late")
    return client


def test_connections_are_refused_while_others_go_on(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(proxy.address, timeout=5)
    assert echoed(client, b"still here")
    address = proxy.address
    proxy.heal()
    assert proxy.address == address
    connected(proxy).close()


def test_data_is_delayed_in_order(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(0.02, jitter=0.02)
    before = time.monotonic()
    for number in range(50):
        client.sendall(b"%02d" % number)
    assert received(client, 100) == b"".join(b"%02d" % number for number in range(50))
    assert time.monotonic() - before >= 0.04


def test_what_is_held_back_goes_on_when_all_is_well(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(3600)
    client.sendall(b"held back")
    assert is_silent(client)
    proxy.heal()
    assert received(client, 9) == b"held back"


def test_time_does_not_run_backwards(proxy: TcpProxy) -> None:
    with pytest.raises(CacheValueError, match="0 seconds or more"):
        proxy.delay(-1)


def test_a_server_that_is_away_is_as_away_through_the_proxy(proxy: TcpProxy, server: EchoServer) -> None:
    server.close()
    with socket.create_connection(proxy.address, timeout=5) as client:
        assert client.recv(1) == b""


def test_a_client_that_resets_is_reset_at_the_server(proxy: TcpProxy, client: socket.socket) -> None:
    link = proxy.links[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    with connected(proxy):
        assert not link.is_open


def test_closing_closes_all(server: EchoServer) -> None:
    proxy = TcpProxy(*server.address)
    with connected(proxy) as client:
        link = proxy.links[0]
        assert "first" in repr(link)
        proxy.close()
        proxy.close()
        assert client.recv(1) == b""
        link.cut()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(proxy.address, timeout=5)
