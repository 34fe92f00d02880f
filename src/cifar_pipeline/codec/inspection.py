"""What the command `inspect` says of a compressed file."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cifar_pipeline.codec.container import VERSION, Container, read_container, read_payloads
from cifar_pipeline.codec.index import Kind
from cifar_pipeline.images.paths import shown


def describe(path: Path) -> Iterator[str]:
    """Yield lines on a file, and then one on each of its sources.

    Raises:
        ContainerError: the file is foreign or damaged, in its payloads perhaps.
        PipelineError: it cannot be read.
    """
    container = read_container(path)
    for _ in read_payloads(container):
        pass
    yield f"{shown(str(path))}: {container.size:,} bytes, version {VERSION}, intact"
    yield f"model: SHA-256 {container.digest}"
    rate = 8 * container.size / container.pixels
    payload = 8 * container.payload / container.pixels
    yield (
        f"{container.images:,} images in {len(container.blocks):,} blocks, {rate:.4f} bits per "
        f"pixel (payload {payload:.4f})"
    )
    yield _qualities(container)
    yield from _sources(container)


def _qualities(container: Container) -> str:
    counts = Counter(level for block in container.blocks for level in block.levels)
    mean = sum(level * count for level, count in counts.items()) / container.images
    return f"quality {min(counts)} to {max(counts)}, {mean:.1f} in the mean"


def _sources(container: Container) -> Iterator[str]:
    sizes = (
        (block.height, block.width, level) for block in container.blocks for level in block.levels
    )
    for source in container.sources:
        levels = []
        for _ in range(source.images):
            height, width, level = next(sizes)
            levels.append(level)
        quality = str(min(levels)) if len(set(levels)) == 1 else f"{min(levels)} to {max(levels)}"
        number = f"{source.images:,} images of " if source.kind == Kind.ARRAY else ""
        yield f"{shown(source.name)}: {number}{width} x {height} pixels, quality {quality}"
