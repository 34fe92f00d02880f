"""And decompress: there and back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.codec.compress import Summary, Target, compress
from cifar_pipeline.codec.container import ContainerError, read_container
from cifar_pipeline.codec.decompress import decompress, file_names
from cifar_pipeline.codec.index import Kind, Source
from cifar_pipeline.codec.inputs import find_inputs
from cifar_pipeline.codec.model import Model
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.images.paths import PictureError
from codec_models import images, write_model

BEST = Target(quality=255)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_model(tmp_path / "model.npz")


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Two arrays and three pictures, of four sizes."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    np.save(folder / "a.npy", images(600))
    np.save(folder / "b.npy", images(2, 5, 9))
    for name, size in {"p.png": (8, 8), "q.bmp": (13, 6), "sub/p.png": (1, 1)}.items():
        Image.fromarray(images(1, *size)[0]).save(folder / name)
    return [str(folder / name) for name in ("a.npy", "p.png", "b.npy", "q.bmp", "sub/p.png")]


def there_and_back(inputs: list[str], folder: Path, model: Model, target: Target = BEST) -> Summary:
    summary = compress(find_inputs(inputs), folder / "x.cifc", target, model)
    decompress(read_container(folder / "x.cifc"), model, folder / "out")
    return summary


def test_sizes_names_and_order_are_kept(tmp_path: Path, inputs: list[str], model: Model) -> None:
    there_and_back(inputs, tmp_path, model)
    container = read_container(tmp_path / "x.cifc")
    expected = ["a.npy", "p.png", "b.npy", "q.bmp", "sub/p.png"]
    assert [source.name for source in container.sources] == expected
    # Pictures of one size share blocks with arrays.
    assert [block.images for block in container.blocks] == [512, 89, 2, 1, 1]
    for name, out in zip(expected, ["a.npy", "p.png", "b.npy", "q.png", "sub/p.png"], strict=True):
        before, after = tmp_path / "in" / name, tmp_path / "out" / out
        if after.suffix == ".npy":
            arrays = np.load(before), np.load(after)
        else:
            with Image.open(before) as picture, Image.open(after, formats=["PNG"]) as other:
                arrays = np.asarray(picture), np.asarray(other)
        assert arrays[0].shape == arrays[1].shape
        assert arrays[1].dtype == np.uint8
        assert np.abs(arrays[0].astype(int) - arrays[1]).max() <= 8


def test_the_summary_is_of_the_bytes_and_pixels(
    tmp_path: Path, inputs: list[str], model: Model
) -> None:
    summary = there_and_back(inputs[:1], tmp_path, model)
    assert summary.size == (tmp_path / "x.cifc").stat().st_size
    assert summary.bits_per_pixel == 8 * summary.size / (600 * 64)
    assert summary.estimate == pytest.approx(8 * summary.payload, rel=0.02)
    assert sum(summary.bits) == pytest.approx(8 * summary.size, rel=0.02)
    before, after = np.load(inputs[0]).astype(float), np.load(tmp_path / "out/a.npy")
    error = np.square(before - after).mean()
    assert summary.psnr == pytest.approx(10 * np.log10(255**2 / error))
    assert len(summary.psnrs) == len(summary.rates) == len(summary.levels) == 600


def test_the_same_images_make_the_same_bytes(
    tmp_path: Path, inputs: list[str], model: Model
) -> None:
    for name in ("x", "y"):
        compress(find_inputs(inputs), tmp_path / name, Target(psnr=25), model)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_each_image_gets_the_quality_that_meets_the_target(
    tmp_path: Path, inputs: list[str], model: Model
) -> None:
    found = there_and_back(inputs[:1], tmp_path, model, Target(psnr=30))
    assert np.median(np.abs(found.psnrs - 30)) < 0.15
    assert len(set(found.levels)) > 5
    (tmp_path / "out").rename(tmp_path / "first")
    wanted = float(np.median(found.rates))
    found = there_and_back(inputs[:1], tmp_path, model, Target(bits_per_pixel=wanted))
    assert np.median(np.abs(found.rates / wanted - 1)) < 0.02


def test_progress_is_told_by_images(tmp_path: Path, inputs: list[str], model: Model) -> None:
    steps: list[int] = []
    compress(find_inputs(inputs), tmp_path / "x", BEST, model, steps.append)
    assert sum(steps) == 605
    steps.clear()
    decompress(read_container(tmp_path / "x"), model, tmp_path / "out", steps.append)
    assert sum(steps) == 605


def test_what_is_in_the_way_stays(tmp_path: Path, inputs: list[str], model: Model) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(PipelineError, match="in the way"):
        compress(find_inputs(inputs), tmp_path / "notes.txt", BEST, model)
    compress(find_inputs(inputs), tmp_path / "x", BEST, model)
    with pytest.raises(PipelineError, match="in the way"):
        decompress(read_container(tmp_path / "x"), model, tmp_path / "in")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_after_an_error_the_last_file_stays(
    tmp_path: Path, inputs: list[str], model: Model
) -> None:
    output = tmp_path / "x"
    compress(find_inputs(inputs), output, BEST, model)
    before = output.read_bytes()
    (tmp_path / "in/broken.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match="broken"):
        compress(find_inputs([*inputs, str(tmp_path / "in/broken.png")]), output, BEST, model)
    assert output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "model.npz", "x"]


def test_a_damaged_block_leaves_no_folder(tmp_path: Path, inputs: list[str], model: Model) -> None:
    output = tmp_path / "x"
    compress(find_inputs(inputs), output, BEST, model)
    content = bytearray(output.read_bytes())
    content[len(content) // 2] ^= 1
    output.write_bytes(content)
    with pytest.raises(ContainerError, match="block 1 of 5 is damaged"):
        decompress(read_container(output), model, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "model.npz", "x"]


def test_no_two_files_have_one_name() -> None:
    names = ["a.jpg", "a.png", "A.webp", "b.tar.gz", "c"]
    sources = [Source(Kind.PICTURE, name, 1) for name in names]
    sources += [Source(Kind.ARRAY, name, 1) for name in ("d.npy", "D.npy", "e")]
    assert file_names(tuple(sources)) == [
        *("a.jpg.png", "a.png.png", "A.webp.png", "b.tar.png", "c.png"),
        *("d.npy", "D (2).npy", "e.npy"),
    ]
