from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_pipeline.codec.index import Kind, Source
from cifar_pipeline.codec.inputs import blocks_of, find_inputs
from cifar_pipeline.images.paths import PictureError
from codec_models import images


def save(path: Path, pixels: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    return str(path)


def test_names_are_relative_to_the_folder_that_all_share(tmp_path: Path) -> None:
    save(tmp_path / "in/b/x.png", images(1)[0])
    save(tmp_path / "in/a.png", images(1)[0])
    array = save(tmp_path / "in/c.npy", images(3))
    sources = [each.source for each in find_inputs([array, str(tmp_path / "in")])]
    assert sources == [
        Source(Kind.ARRAY, "c.npy", 3),
        Source(Kind.PICTURE, "a.png", 1),
        Source(Kind.PICTURE, "b/x.png", 1),
    ]
    assert find_inputs([array])[0].source.name == "c.npy"


def test_blocks_hold_images_of_one_size_in_their_order(tmp_path: Path) -> None:
    sizes = [(8, 8), (8, 8), (8, 9), (8, 8)]
    arrays = [images(700, *size, seed=at) for at, size in enumerate(sizes)]
    inputs = find_inputs([save(tmp_path / f"{at}.npy", a) for at, a in enumerate(arrays)])
    blocks = list(blocks_of(inputs))
    # 2^19 pixels, of 32 x 32 each with padding.
    assert [len(block) for block in blocks] == [512, 512, 376, 512, 188, 512, 188]
    assert (np.concatenate(blocks[:3]) == np.concatenate(arrays[:2])).all()
    assert (np.concatenate(blocks[3:5]) == arrays[2]).all()


def test_pictures_of_one_size_share_a_block(tmp_path: Path) -> None:
    pixels = images(3)
    paths = [save(tmp_path / f"{at}.png", image) for at, image in enumerate(pixels)]
    (block,) = blocks_of(find_inputs(paths))
    assert (block == pixels).all()


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 8, 8, 3)), "float64 of shape"),
        (np.zeros((8, 8, 3), np.uint8), "expected images"),
        (np.zeros((0, 8, 8, 3), np.uint8), "expected images"),
        (np.zeros((1, 1, 20000, 3), np.uint8), "20,000 x 1 pixels"),
    ],
)
def test_arrays_of_something_else_are_refused(
    tmp_path: Path, array: np.ndarray, reason: str
) -> None:
    with pytest.raises(PictureError, match=reason):
        find_inputs([save(tmp_path / "x.npy", array)])


def test_faults_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"no array")
    (tmp_path / "x.png").write_bytes(b"no picture")
    (tmp_path / "b\\c.png").write_bytes(b"")
    for name, reason in {
        "x.npy": "cannot be read as an array",
        "none.npy": "No such file",
        "b\\c.png": "rename",
        "*.jpg": "no file matches",
    }.items():
        with pytest.raises(PictureError, match=reason) as error:
            find_inputs([str(tmp_path / name)])
        assert len(error.value.lines) == 1
    for name in ("x.png", "none.png"):
        (found,) = find_inputs([str(tmp_path / name)])
        with pytest.raises(PictureError):
            found.images()
