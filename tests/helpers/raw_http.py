"""A server that sends, byte for byte, what a test gives it: also what is no HTTP at all."""

import datetime
import ipaddress
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

RESET = b"\0reset"  # in an answer: the connection ends with an RST
PAUSE = b"\0pause"  # in an answer: nothing for a moment
STALL = b"\0stall"  # in an answer: nothing more until the test ends


class Request(NamedTuple):
    """The first line's path, and the headers in lower case."""

    path: str
    headers: dict[str, str]

    @property
    def offset(self) -> int:
        """The first byte that was asked for."""
        return int(self.headers.get("range", "bytes=0-")[6:-1])


Answer = Callable[[Request], Iterator[bytes]]


def head(status: str, **headers: object) -> bytes:
    """Return a status line and headers; `_` in a name stands for `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""]).encode()


class RawServer(socketserver.ThreadingTCPServer):
    """Answers the n-th request for a path with the n-th of its answers, then with the last one."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        self.over = threading.Event()

    def at(self, name: str, host: str = "127.0.0.1") -> str:
        """Return the address of the answers `name`."""
        return f"http{'s' if self.context else ''}://{host}:{self.server_address[1]}/{name}"

    def asked(self, name: str) -> list[Request]:
        """Return the requests for the answers `name`."""
        return [request for request in self.requests if request.path == f"/{name}"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on purpose."""


class _Handler(socketserver.BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        connection: socket.socket = self.request
        if self.server.context:
            connection = self.server.context.wrap_socket(connection, server_side=True)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return
            received += piece
            if received.startswith(b"\x16"):  # the first byte of TLS
                connection.sendall(head("400 Bad Request"))
                return
        lines = received.decode("latin-1").split("\r\n")
        headers = dict(re.findall(r"^([\w-]+): (.*)$", "\n".join(lines[1:]), re.MULTILINE))
        path = lines[0].split(" ")[1]
        request = Request(path, {name.lower(): value for name, value in headers.items()})
        self.server.requests.append(request)
        answers = self.server.answers[path.strip("/").partition("?")[0]]
        number = len(self.server.asked(path[1:]))
        for piece in answers[min(number, len(answers)) - 1](request):
            if piece == STALL:
                self.server.over.wait(30)
            elif piece == PAUSE:
                self.server.over.wait(0.05)
            elif piece == RESET:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.close()
                return
            else:
                connection.sendall(piece)
        if self.server.context:
            connection.close()


@contextmanager
def raw_server(context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Run a `RawServer` in a thread."""
    with RawServer(context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def certificate(
    folder: Path, host: str = "127.0.0.1", first_day: int = -1, last_day: int = 1
) -> tuple[ssl.SSLContext, Path]:
    """Return the context of a server with a certificate of its own, and the file of that.

    Args:
        folder: where the files go.
        host: the address that the certificate is for.
        first_day: from which it is valid, 0 is today.
        last_day: to which it is valid.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(first_day))
        .not_valid_after(now + datetime.timedelta(last_day))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "public.pem", folder / "both.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(secret + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, public
