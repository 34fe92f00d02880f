"""A project with two branches, servers, and a remote of each kind."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from machines import Machine
from servers import SSHD, S3Server, SshServer, s3_server, ssh_server
from storage import Bucket, Folder, Remote
from workspace import Workspace, made_once

bucket_names = (f"cifar-{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def two_branches(
    finished_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Machine:
    """A project with a run on `main` and another one on `other`; `results` holds both.

    Its committed params name a data set that is nowhere: a fetch fails loudly.
    """
    made = made_once(
        tmp_path_factory, "two", lambda folder: _with_two_branches(finished_workspace, folder)
    )
    return Machine.copy_of(made, tmp_path_factory.mktemp("two") / "first")


def _with_two_branches(finished_workspace: Workspace, folder: Path) -> Machine:
    machine = Machine.copy_of(finished_workspace, folder / "first")
    machine.set_params({"download.source": "/nowhere"})
    machine.commit("nothing to fetch from")
    machine.results["main"] = machine.outs()
    machine.run("git", "switch", "-q", "-c", "other")
    machine.set_params({"train.seed": 2})
    machine.run("dvc", "repro")
    machine.commit("another seed")
    machine.results["other"] = machine.outs()
    machine.run("git", "switch", "-q", "main")
    machine.run("dvc", "checkout", "-q")
    assert machine.outs() == machine.results["main"]
    assert machine.results["other"]["models/model.keras"] not in machine.outs().values()
    return machine


@pytest.fixture
def first(two_branches: Machine, tmp_path: Path) -> Machine:
    """The machine on which everything was run."""
    return Machine.copy_of(two_branches, tmp_path / "first")


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    if SSHD is None:
        pytest.skip("no sshd here: install openssh-server")
    with ssh_server(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        with s3_server() as server:
            yield server


@pytest.fixture
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """An empty remote of the kind that the test names: folder, ssh or s3."""
    kind = request.param
    folder = tmp_path / "remote"
    if kind == "folder":
        return Remote({"url": str(folder), "verify": "true"}, Folder(folder))
    if kind == "ssh":
        ssh: SshServer = request.getfixturevalue("ssh")
        url = f"ssh://{ssh.user}@127.0.0.1:{ssh.port}{folder}"
        secrets = {"keyfile": str(ssh.key)}
        return Remote({"url": url, "verify": "true"}, Folder(folder), secrets, ssh.port)
    s3: S3Server = request.getfixturevalue("s3")
    bucket = Bucket(s3.client(), next(bucket_names))
    options = {"url": f"s3://{bucket.name}/cache", "endpointurl": s3.endpoint, "verify": "true"}
    secrets = {"access_key_id": s3.key_id, "secret_access_key": s3.secret}
    return Remote(options, bucket, secrets, s3.port)
