"""Small tables and transforms of the codec, fitted within milliseconds."""

from pathlib import Path

import numpy as np

from cifar_pipeline.codec.entropy_coder import TOTAL
from cifar_pipeline.codec.linear_contexts import Predictor, known_places
from cifar_pipeline.codec.model import Model, load_model, save_model
from cifar_pipeline.codec.pca import fit_pca
from cifar_pipeline.codec.tables import LEVELS, Tables, contexts_of


def random_predictor(rng: np.random.Generator, channels: int, bands: int = 2) -> Predictor:
    """Return a predictor without any sense."""
    known = known_places(channels)
    weights = rng.integers(-400, 400, (2, bands, *known.shape), np.int32) * known
    return Predictor(weights[0], weights[1])


def random_tables(
    seed: int = 0,
    channels: int = 3,
    group: int = 2,
    has_neighbours: bool = True,
    largest: int = 3,
    tables: int = 5,
) -> Tables:
    """Return tables of any shape, and a choice without any sense."""
    rng = np.random.default_rng(seed)
    width = 2 * largest + 2
    shares = rng.dirichlet(np.full(width, 0.3), tables)
    frequencies = (shares * (TOTAL - width)).astype(np.int64) + 1
    frequencies[:, 0] += TOTAL - frequencies.sum(axis=1)
    of_contexts = rng.integers(0, tables, (channels, contexts_of(has_neighbours)))
    choice = (np.arange(LEVELS)[:, None, None] // 16 + of_contexts) % tables
    predictor = random_predictor(rng, channels) if has_neighbours else None
    return Tables(frequencies.astype(np.uint32), choice.astype(np.uint8), group, predictor)


def images(count: int = 5, height: int = 8, width: int = 8, seed: int = 0) -> np.ndarray:
    """Return smooth images, uint8 (count, height, width, 3)."""
    rng = np.random.default_rng((seed, height, width))
    coarse = rng.integers(0, 256, (count, -(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]


def write_model(path: Path, seed: int = 0) -> Model:
    """Write a model of tiles of 4 x 4 to `path`, and return it as it is read."""
    pca = fit_pca(images(200, seed=seed), 4, 12, coarsest=200, finest=5)
    save_model(path, pca, random_tables(seed, channels=12, largest=40))
    return load_model(path)
