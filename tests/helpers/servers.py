"""Servers that speak a remote's protocol on loopback: SSH, the S3 API, HTTP."""

import functools
import getpass
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import boto3

LOOPBACK = "127.0.0.1"
# Outside PATH of ordinary users on Debian.
SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")

SSHD_CONFIG = """
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""

EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)

RUNNING = re.compile(rf"Running on http://{LOOPBACK}:(\d+)")


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Run a server of the standard library in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TcpServer(socketserver.ThreadingTCPServer):
    """A server on a port that the system chooses."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: Any) -> None:
        super().__init__((LOOPBACK, 0), handler)
        self.port = self.server_address[1]


class SshServer(NamedTuple):
    """Where sshd answers, as whom, and the key that it lets in."""

    port: int
    user: str
    key: Path


def make_key(path: Path) -> Path:
    """Make a key pair without a passphrase; return the private half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """OpenSSH's sshd with a host key, a user's key and a configuration of its own.

    Each connection is handed to an `sshd -i`, as inetd does: so the port is one that is free.
    """
    if os.geteuid() == 0:
        # Where sshd, started by root, locks up its unprivileged half.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    make_key(folder / "host_key")
    key = make_key(folder / "user_key")
    (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(folder=folder))
    command = [str(SSHD), "-i", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
    sessions = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            session = subprocess.Popen(command, stdin=self.request, stdout=self.request)
            sessions.append(session)
            session.wait()

    server = TcpServer(Handler)
    try:
        with serving(server):
            yield SshServer(server.port, getpass.getuser(), key)
    finally:
        for session in sessions:
            session.terminate()
            session.wait()


class S3Server(NamedTuple):
    """Where the S3 API answers, and the one key that it lets in."""

    port: int
    key_id: str
    secret: str

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def client(self) -> Any:
        """Return a boto3 client with the right key."""
        return s3_client(self.endpoint, "s3", self.key_id, self.secret)


def s3_client(endpoint: str, service: str, key_id: str, secret: str) -> Any:
    """Return a boto3 client that reads nothing of the user's settings."""
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """moto's server in a process of its own, which checks the signature of every request."""
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", "0"],
        # The three requests below make the key; from then on a signature has to be right.
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        port = int(next(filter(None, map(RUNNING.search, process.stderr)))[1])
        # It logs every request, and would wait for a reader.
        log = threading.Thread(target=process.stderr.read)
        log.start()
        try:
            iam = s3_client(f"http://{LOOPBACK}:{port}", "iam", "anyone", "anything")
            iam.create_user(UserName="team")
            iam.put_user_policy(UserName="team", PolicyName="all", PolicyDocument=EVERYTHING)
            key = iam.create_access_key(UserName="team")["AccessKey"]
            yield S3Server(port, key["AccessKeyId"], key["SecretAccessKey"])
        finally:
            process.terminate()
            log.join()


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """Serve a folder, for reading alone; give its address."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), functools.partial(Handler, directory=folder))
    with serving(server):
        yield f"http://{LOOPBACK}:{server.server_port}"
