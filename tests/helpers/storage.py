"""A remote as DVC is told of it, and as it lies on the other side."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

OBJECTS = "files/md5/"


def name_of(oid: str) -> str:
    """Return the name, in a remote, of the object with that MD5."""
    return f"{OBJECTS}{oid[:2]}/{oid[2:]}"


def oid_of(name: str) -> str:
    """Return the MD5 that the name of an object says."""
    return name.removeprefix(OBJECTS).replace("/", "")


class Storage(Protocol):
    """What a server keeps; names are paths from the remote's root."""

    def read(self) -> dict[str, bytes]:
        """Return all that is there."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or write over it."""

    def remove(self, name: str) -> None:
        """Remove a file."""


class Folder:
    """A folder on this machine, whatever serves it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self) -> dict[str, bytes]:
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}

    def write(self, name: str, content: bytes) -> None:
        path = self.root / name
        mode = path.stat().st_mode
        path.chmod(0o644)
        path.write_bytes(content)
        # A bad disk changes no mode, and DVC believes what is read-only.
        path.chmod(mode)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


class Bucket:
    """The folder `cache` of a new bucket."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        client.create_bucket(Bucket=name)

    def read(self) -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        names = [entry["Key"].removeprefix("cache/") for entry in listed]
        return {name: self.client.get_object(**self._key(name))["Body"].read() for name in names}

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(**self._key(name), Body=content)

    def remove(self, name: str) -> None:
        self.client.delete_object(**self._key(name))

    def _key(self, name: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": f"cache/{name}"}


@dataclass
class Remote:
    """A remote's settings and its storage.

    Args:
        options: what `dvc remote modify` sets, for everyone.
        storage: where it lies.
        secrets: what `dvc remote modify --local` sets.
        port: the server's port; 0: there is no server.
    """

    options: dict[str, str]
    storage: Storage
    secrets: dict[str, str] = field(default_factory=dict)
    port: int = 0

    def at(self, port: int) -> "Remote":
        """Return the same remote, reached through another port."""
        moved = {
            name: value.replace(f":{self.port}", f":{port}") for name, value in self.options.items()
        }
        return replace(self, options=moved)


def whole(storage: Storage) -> dict[str, bytes]:
    """Return what is there; assert that each object hashes to its name.

    A name that ends in .tmp is what a broken transfer leaves. DVC never reads it.
    """
    found = {name: data for name, data in storage.read().items() if not name.endswith(".tmp")}
    for name, data in found.items():
        if name.startswith(OBJECTS):
            oid = oid_of(name).removesuffix(".dir")
            assert hashlib.md5(data).hexdigest() == oid, f"half an object: {name}"
    return found
