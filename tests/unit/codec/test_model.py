import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_pipeline.codec.model import find_model, keep_model, load_model, save_model
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from codec_models import images, random_tables, write_model


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (1, 1)])
def test_images_of_any_size_keep_it(tmp_path: Path, size: tuple[int, int]) -> None:
    model = write_model(tmp_path / "m.npz")
    pixels, levels = images(3, *size), np.array([0, 9, 255], np.uint8)
    symbols = model.transform.symbols(model.features(pixels), levels)
    decoded = model.decode(model.encode(symbols, levels), levels, size)
    assert (decoded == symbols).all()
    found = model.pixels(decoded, levels, size)
    assert found.shape == pixels.shape
    assert np.abs(found[2].astype(int) - pixels[2]).max() <= 8


def test_a_model_has_the_sha256_of_its_file(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.npz")
    assert model.digest == sha256_of(tmp_path / "m.npz")
    save_model(tmp_path / "again.npz", model.transform, model.tables)
    assert sha256_of(tmp_path / "again.npz") == model.digest


def test_a_model_is_found_by_its_digest(tmp_path: Path) -> None:
    present = tmp_path / "model.npz"
    old = write_model(present, seed=1).digest
    kept = keep_model(present)
    new = write_model(present, seed=2).digest
    assert find_model(old, tmp_path) == kept == tmp_path / f"{old}.npz"
    assert find_model(new, tmp_path) == find_model(new, present) == present
    for place in (present, tmp_path / "none"):
        with pytest.raises(PipelineError, match=f"{old}; name the model"):
            find_model(old, place)
    assert keep_model(kept.rename(tmp_path / "x.npz")) == kept


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"x" * 99])
def test_a_damaged_model_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(PipelineError, match=r"m\.npz: cannot be read as a model") as error:
        load_model(tmp_path / "m.npz")
    assert len(error.value.lines) == 1


def test_other_archives_are_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.npz")
    np.savez(tmp_path / "x.npz", kind=np.array("new"))
    save_model(tmp_path / "y.npz", model.transform, random_tables(channels=11))
    for name in ("x", "y"):
        with pytest.raises(PipelineError, match="cannot be read as a model"):
            load_model(tmp_path / f"{name}.npz")


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="make codec"):
        load_model(tmp_path / "none.npz")
    shutil.rmtree(tmp_path)
