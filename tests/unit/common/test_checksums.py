"""Manifests: the SHA-256 of a stage's files."""

from pathlib import Path

import pytest

from cifar_pipeline.common.checksums import check_manifest
from cifar_pipeline.common.errors import PipelineError
from synthetic import write_raw


def test_a_missing_file_is_named_with_its_stage(tmp_path: Path) -> None:
    write_raw(tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(
        PipelineError, match=r"test_batch\.bin is missing; run `dvc repro download`"
    ):
        check_manifest(tmp_path, ["test_batch.bin"], "download")
