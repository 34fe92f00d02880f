"""A codec's model: a transform and its tables in one file, which is named by its SHA-256."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cifar_pipeline.codec.blocks import (
    decode_block,
    encode_and_estimate,
    encode_block,
    estimate_bits,
)
from cifar_pipeline.codec.pca import Pca
from cifar_pipeline.codec.tables import Tables
from cifar_pipeline.codec.transform import Transform
from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.checksums import sha256_of
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.common.system_errors import refusal


def _learned(arrays: dict[str, np.ndarray]) -> Transform:
    """Return the trained network; Keras is imported where there is one, and not sooner."""
    from cifar_pipeline.backend.start import start_backend

    start_backend()
    from cifar_pipeline.codec.learned import Learned

    return Learned.from_arrays(arrays)


# Where models are looked for: the present one, and those of before, by their digests.
FOLDER = Path("codec/models")
PRESENT = "model.npz"
_TABLES, _TRANSFORM, _KIND = "tables.", "transform.", "kind"
# A transform's kind, and what makes one of the arrays of its `to_arrays`.
TRANSFORMS: dict[str, Callable[[dict[str, np.ndarray]], Transform]] = {
    "pca": Pca.from_arrays,
    "learned": _learned,
}


@dataclass(frozen=True)
class Model:
    """A transform and its tables.

    Attributes:
        transform: of as many channels as the tables.
        tables: of its symbols.
        digest: SHA-256 of the model's file, 64 hexadecimal digits.
    """

    transform: Transform
    tables: Tables
    digest: str

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the transform's features of images of any size, uint8 (N, H, W, 3).

        To the right and below, the last pixels are repeated up to a multiple of the stride.
        """
        stride = self.transform.stride
        below, right = (-side % stride for side in images.shape[1:3])
        padded = np.pad(images, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")
        return self.transform.features(padded)

    def pixels(self, symbols: np.ndarray, levels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return images, uint8 (N, H, W, 3), of `size`, a height and a width."""
        return self.transform.pixels(symbols, levels)[:, : size[0], : size[1]]

    def encode(self, symbols: np.ndarray, levels: np.ndarray) -> bytes:
        """Return the payload of symbols; see `encode_block`."""
        return encode_block(symbols, levels, self.tables)

    def bits(self, symbols: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return the bits of each image by the tables; see `estimate_bits`."""
        return estimate_bits(symbols, levels, self.tables)

    def encode_and_estimate(
        self, symbols: np.ndarray, levels: np.ndarray
    ) -> tuple[bytes, np.ndarray]:
        """Return what `encode` and `bits` do; see `encode_and_estimate` of blocks."""
        return encode_and_estimate(symbols, levels, self.tables)

    def decode(self, payload: bytes, levels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the symbols of images of a size; see `decode_block`."""
        rows, columns = (-(-side // self.transform.stride) for side in size)
        return decode_block(payload, (len(levels), rows, columns), levels, self.tables)


def save_model(path: Path, transform: Transform, tables: Tables) -> None:
    """Write a model's file: a zip archive of .npy arrays, the same bytes for the same arrays.

    Raises:
        OSError: it cannot be written.
    """
    named = {_KIND: np.array(transform.kind)}
    named |= {_TABLES + name: array for name, array in tables.to_arrays().items()}
    named |= {_TRANSFORM + name: array for name, array in transform.to_arrays().items()}
    with replacing(path) as temporary:
        content = io.BytesIO()
        np.savez_compressed(content, **named)  # type: ignore[arg-type]
        temporary.write_bytes(content.getvalue())


def load_model(path: Path) -> Model:
    """Return the model at `path`.

    Raises:
        PipelineError: there is none, or it is damaged.
    """
    if not path.is_file():
        raise PipelineError(
            f"{path}: there is no model of the codec; train one by `make codec`, or name another "
            "with --model"
        )
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        transform = TRANSFORMS[str(arrays[_KIND])](_with_prefix(arrays, _TRANSFORM))
        tables = Tables.from_arrays(_with_prefix(arrays, _TABLES))
        if transform.channels != tables.channels:
            raise ValueError("tables of another transform")
    except Exception as error:  # a damaged file can raise anything
        advice = "train the model anew, or fetch it again"
        raise PipelineError(refusal(error, path, "read as a model of the codec", advice)) from None
    return Model(transform, tables, hashlib.sha256(content).hexdigest())


def find_model(digest: str, place: Path | None = None) -> Path:
    """Return the file of a model by its SHA-256.

    Args:
        digest: 64 hexadecimal digits.
        place: a file, or a folder whose .npz files are looked at; None: `FOLDER`.

    Raises:
        PipelineError: it is not there.
    """
    where = FOLDER if place is None else place
    candidates = [where] if where.is_file() else sorted(where.glob("*.npz"))
    # One that has the digest for its name is looked at first.
    candidates.sort(key=lambda path: path.stem != digest)
    for path in candidates:
        if sha256_of(path) == digest:
            return path
    raise PipelineError(
        f"{where}: not the model of this file, which has the SHA-256 {digest}; name the model, or "
        "a folder that holds it, with --model"
    )


def keep_model(path: Path) -> Path:
    """Copy a model beside itself under the name DIGEST.npz, where a later one replaces it never.

    Raises:
        OSError: it cannot be written.
    """
    kept = path.with_name(f"{sha256_of(path)}.npz")
    if not kept.exists():
        with replacing(kept) as temporary:
            temporary.write_bytes(path.read_bytes())
    return kept


def _with_prefix(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    found = {name: array for name, array in arrays.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): array for name, array in found.items()}
