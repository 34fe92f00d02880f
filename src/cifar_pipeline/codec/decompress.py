"""Write the images of a compressed file: arrays as .npy files, pictures as PNG files."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from cifar_pipeline.codec.container import Container, ContainerError, read_payloads
from cifar_pipeline.codec.entropy_coder import DamagedPayloadError
from cifar_pipeline.codec.index import Kind, Source
from cifar_pipeline.codec.model import Model
from cifar_pipeline.common.atomic import require_writable, scratch_folder, writing
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.dataset.npy_files import writing_rows


def decompress(
    container: Container,
    model: Model,
    output: Path,
    advance: Callable[[int], None] = lambda images: None,
) -> None:
    """Write all images into the folder `output`, which is there when all of them are.

    Args:
        container: the file.
        model: the one that it names.
        output: is new, or empty.
        advance: is told how many images have been written since the last call.

    Raises:
        ContainerError: the file is damaged.
        PipelineError: the folder holds something, or cannot be written.
    """
    require_free(output)
    arrays = sum(source.kind == Kind.ARRAY for source in container.sources)
    sizes = [3 * container.pixels] if arrays == len(container.sources) else []
    require_writable(output.parent, sizes=sizes)
    with writing(output.parent), scratch_folder(output.parent, ".decompress.") as scratch:
        folder = scratch / "images"
        folder.mkdir()
        names = file_names(container.sources)
        images = _Images(_decoded(container, model))
        for source, name in zip(container.sources, names, strict=True):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if source.kind == Kind.PICTURE:
                Image.fromarray(next(images.take(1))[0]).save(path, "PNG")
                advance(1)
                continue
            with writing_rows(path, images.shape) as append:
                for part in images.take(source.images):
                    append(part)
                    advance(len(part))
        folder.replace(output)


def require_free(output: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        PipelineError: it does, or is no folder.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise PipelineError(f"{output} is in the way; name a folder that is new or empty")


def file_names(sources: tuple[Source, ...]) -> list[str]:
    """Return the names of the files to write, no two the same, not even where case is ignored.

    An array keeps its name. A picture gets the suffix .png for its own, or after its own where two
    pictures differ in that alone.
    """
    short = [_png(source) for source in sources]
    counts = Counter(name.casefold() for name in short)
    names, taken = [], set[str]()
    for source, name in zip(sources, short, strict=True):
        if counts[name.casefold()] > 1 and source.kind == Kind.PICTURE:
            name = f"{source.name}.png"
        path, number = PurePosixPath(name), 2
        while name.casefold() in taken:
            name = str(path.with_stem(f"{path.stem} ({number})"))
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _png(source: Source) -> str:
    if source.kind == Kind.PICTURE:
        return str(PurePosixPath(source.name).with_suffix(".png"))
    return source.name if source.name.lower().endswith(".npy") else f"{source.name}.npy"


def _decoded(container: Container, model: Model) -> Iterator[np.ndarray]:
    """Yield the images of each block, uint8 (n, H, W, 3).

    Raises:
        ContainerError: a payload is damaged, although its checksum is right.
    """
    for block, payload in read_payloads(container):
        levels = np.frombuffer(block.levels, np.uint8)
        size = block.height, block.width
        try:
            symbols = model.decode(payload, levels, size)
        except DamagedPayloadError as error:
            raise ContainerError(container.path, f"a block is damaged ({error})") from None
        yield model.pixels(symbols, levels, size)


class _Images:
    """Images that come in blocks, and are taken in other numbers."""

    def __init__(self, blocks: Iterator[np.ndarray]) -> None:
        self._blocks = blocks
        self._rest = np.zeros((0, 0, 0, 3), np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the next image: height, width and 3."""
        self._fill()
        return self._rest.shape[1:]

    def take(self, count: int) -> Iterator[np.ndarray]:
        """Yield the next `count` images in parts."""
        while count:
            self._fill()
            part, self._rest = self._rest[:count], self._rest[count:]
            count -= len(part)
            yield part

    def _fill(self) -> None:
        while not len(self._rest):
            self._rest = next(self._blocks)
