"""Machines that share a remote: clones, each with a home, a cache and downloads of its own."""

import hashlib
from pathlib import Path

from ruamel.yaml import YAML

from storage import Folder, Remote, name_of
from workspace import Workspace, copy_folder, environment

# What of the user's could open a remote, send loopback through a proxy or change a `make`.
USERS_OWN = ("AWS_", "SSH_", "MAKE", "MFLAGS", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


class Machine(Workspace):
    """A clone on a machine on which nothing of the user's is found.

    Args:
        folder: a folder that does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder / "clone"
        users = environment(folder)
        self.environment = {
            **{name: users[name] for name in users if not name.startswith(USERS_OWN)},
            "HOME": str(folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            # A remote that is gone stays gone in these tests: no second and third try.
            "AWS_MAX_ATTEMPTS": "1",
        }
        # By branch, what outs() gave there.
        self.results: dict[str, dict[str, str]] = {}

    @classmethod
    def copy_of(cls, workspace: Workspace, folder: Path) -> "Machine":
        """Copy a clone with all that is in it, DVC's cache too."""
        machine = cls(folder)
        machine.results = getattr(workspace, "results", {})
        copy_folder(workspace.folder, machine.folder)
        return machine

    @classmethod
    def clone_of(cls, other: "Machine", folder: Path) -> "Machine":
        """Clone what the other machine committed: DVC's cache is empty."""
        machine = cls(folder)
        machine.results = other.results
        machine.folder.mkdir()
        machine.run("git", "clone", "-q", str(other.folder), ".")
        return machine

    def share(self, remote: Remote) -> None:
        """Commit a default remote, as `dvc remote add --default` writes it."""
        with (self.folder / ".dvc/config").open("a") as file:
            file.write(f"    remote = shared\n{_section(remote.options)}")
        self.commit("a remote")
        self.unlock(remote)

    def unlock(self, remote: Remote) -> None:
        """Set what opens the remote and what is of this machine alone: Git ignores it."""
        (self.folder / ".dvc/config.local").write_text(_section(remote.secrets))

    def push(self, expect: int = 0) -> str:
        """Run `make push`; the environment is there."""
        return self.run("make", "-s", "-o", "setup", "push", expect=expect)

    def cache(self) -> Folder:
        """Return DVC's cache, which is laid out as a remote is."""
        return Folder(self.folder / ".dvc/cache")

    def outs(self) -> dict[str, str]:
        """Return the SHA-256 of every file that the stages leave, as they lie in the workspace."""
        stages = YAML(typ="safe").load(self.read("dvc.lock"))["stages"]
        outs = [self.folder / out["path"] for stage in stages.values() for out in stage["outs"]]
        files = [file for out in outs for file in (out.rglob("*") if out.is_dir() else [out])]
        return {
            str(file.relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        }


def object_of(machine: Machine, name: str, revision: str = "HEAD") -> str:
    """Return the name, in a remote, of an output's object, as a commit's dvc.lock has it."""
    lock = YAML(typ="safe").load(machine.run("git", "show", f"{revision}:dvc.lock"))
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]
    (oid,) = {out["md5"] for out in outs if out["path"] == name}
    return name_of(oid)


def model_of(machine: Machine, revision: str) -> str:
    """Return the name, in a remote, of the object of a commit's model."""
    return object_of(machine, "models/model.keras", revision)


def _section(values: dict[str, str]) -> str:
    lines = [f"    {name} = {value}\n" for name, value in values.items()]
    return "['remote \"shared\"']\n" + "".join(lines)
