"""A network that breaks: a TCP proxy that cuts every connection after some bytes."""

import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from servers import LOOPBACK, TcpServer, serving


class Network:
    """Carries connections to a server until its budget of bytes is spent.

    Args:
        target: the server's port.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.repair()
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        """Break once so many more bytes went to the server (up), or came from it (down)."""
        self._left = {"up": up, "down": down}

    def repair(self) -> None:
        """Carry everything again."""
        self.was_cut = False
        self._left: dict[str, int | None] = {"up": None, "down": None}

    def carry(self, client: socket.socket) -> None:
        """Carry one connection until the network, or one of its ends, closes it."""
        with socket.create_connection((LOOPBACK, self.target)) as server:
            ends = {client, server}
            for end in ends:
                # As SSH's own sockets: else each small packet waits for an acknowledgement.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._ends |= ends
            if self.was_cut:
                _close(ends)
            back = threading.Thread(target=self._copy, args=(server, client, "down"))
            back.start()
            self._copy(client, server, "up")
            back.join()
            with self._lock:
                self._ends -= ends

    def _copy(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while data := source.recv(16384):
                self._spend(len(data), direction)
                target.sendall(data)
        _close((source, target))

    def _spend(self, size: int, direction: str) -> None:
        left = self._left[direction]
        if left is not None:
            self._left[direction] = left - size
            if left < size:
                self.was_cut = True
                with self._lock:
                    _close(self._ends)


def _close(ends: Iterable[socket.socket]) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def network(port: int) -> Iterator[Network]:
    """A network between a client and the server on that port."""
    wire = Network(port)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire.carry(self.request)

    server = TcpServer(Handler)
    wire.port = server.port
    with serving(server):
        yield wire
