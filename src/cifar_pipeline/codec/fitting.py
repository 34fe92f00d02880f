"""Fit tables to the symbols of training images, by their entropy alone.

The histograms of all levels, channels and contexts are clustered: a cluster's table is the mean of
its histograms, and a histogram goes to the table that codes it in the fewest bits. This is k-means
with the Kullback-Leibler divergence, where each step lowers the bits (Banerjee et al., 'Clustering
with Bregman divergences', JMLR 2005). A level between two of which there are symbols has the mean
of their histograms, weighted by its distance to each.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cifar_pipeline.codec.contexts import GroupContexts
from cifar_pipeline.codec.entropy_coder import TOTAL
from cifar_pipeline.codec.linear_contexts import LinearContexts, Predictor
from cifar_pipeline.codec.predictor_fitting import fit_predictor
from cifar_pipeline.codec.tables import LEVELS, MOST_TABLES, Tables, bits_of, contexts_of
from cifar_pipeline.codec.waves import Contexts

_STEPS = 12
PREDICTED = 500  # images that the weights of a predictor are fitted to
# So many symbols of the same channel in all contexts are added to a histogram, so that rare
# contexts have one; and so many to a table, spread evenly, so that no frequency is zero.
_SHRUNK_TO, _UNSEEN = 16.0, 0.5


@dataclass(frozen=True)
class Layout:
    """What is known of the symbols before any is seen; see `Tables`.

    Attributes:
        channels: of the symbols.
        group: channels that are coded at a time where neighbours do not count.
        has_neighbours: whether symbols are predicted from their neighbours.
        largest: the largest number that needs no escape.
        tables: how many there are at most.
    """

    channels: int
    group: int
    has_neighbours: bool
    largest: int = 127
    tables: int = MOST_TABLES


def fit_tables(symbols_of_levels: Iterable[tuple[int, np.ndarray]], layout: Layout) -> Tables:
    """Return tables for all levels.

    Args:
        symbols_of_levels: levels in ascending order, 0 and 255 among them and one in each 32, and
            symbols of training images at each, int32 (images, rows, columns, channels).
        layout: of the symbols.
    """
    levels, symbols = [], []
    for level, found in symbols_of_levels:
        levels.append(level)
        # All levels are in memory at a time. What does not fit in 16 bits is an escape anyhow.
        symbols.append(np.clip(found, -(2**15) + 1, 2**15 - 1).astype(np.int16))
    predictor = None
    if layout.has_neighbours:
        predictor = fit_predictor(levels, [each[:PREDICTED] for each in symbols])
    counts = np.stack(
        [
            _shrunk(_histograms(each, level, layout, predictor))
            for level, each in zip(levels, symbols, strict=True)
        ]
    )
    tables = _clusters(counts.reshape(-1, counts.shape[-1]), layout.tables)
    frequencies = np.stack([_as_integers(table) for table in tables])
    choice = _choice(np.array(levels), counts, frequencies)
    return Tables(frequencies, choice, layout.group, predictor)


def _histograms(
    symbols: np.ndarray, level: int, layout: Layout, predictor: Predictor | None
) -> np.ndarray:
    """Return how often each index occurs, float32 (channels, contexts, 2 R + 2)."""
    width, contexts = 2 * layout.largest + 2, contexts_of(layout.has_neighbours)
    inner = symbols.transpose(3, 1, 2, 0)
    counts = np.zeros((layout.channels, contexts, width), np.float32)
    seen: Contexts = GroupContexts(inner.shape, layout.group)
    if predictor:
        seen = LinearContexts(inner.shape, predictor, np.full(len(symbols), level, np.uint8))
    for wave in seen:
        known = seen.of(wave)
        numbers = known.flip * (inner[wave.place] - known.shift)
        inside = np.abs(numbers) <= layout.largest
        found = np.where(inside, numbers, np.int32(layout.largest + 1))
        of_channels = np.arange(len(found))[:, None, None, None] * contexts + known.contexts
        flat = of_channels * width + (found + layout.largest)
        some = np.bincount(flat.ravel(), minlength=len(found) * contexts * width)
        counts[wave.channels] += some.reshape(len(found), contexts, width)
        seen.learn(wave, found)
    return counts


def _shrunk(counts: np.ndarray) -> np.ndarray:
    """Return histograms with a little of their channel's whole one."""
    whole = counts.sum(axis=1, keepdims=True)
    return counts + whole * (_SHRUNK_TO / np.maximum(whole.sum(axis=2, keepdims=True), 1))


def _bits(tables: np.ndarray) -> np.ndarray:
    return -np.log2(tables)


def _normalised(counts: np.ndarray) -> np.ndarray:
    """Return histograms as probabilities, none of them zero."""
    counts = counts + _UNSEEN / counts.shape[1]
    return counts / counts.sum(axis=1, keepdims=True)


def _clusters(counts: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many tables, probabilities (tables, 2 R + 2), for histograms."""
    counts = counts[counts.sum(axis=1) > 0]
    totals = counts.sum(axis=1)
    entropies = np.einsum("ij,ij->i", counts, _bits(_normalised(counts)))
    # At first each cluster has as many bits as the others, of histograms with like entropies.
    order = np.argsort(entropies / totals, kind="stable")
    share = np.cumsum(entropies[order]) / entropies.sum()
    cluster = np.empty(len(counts), np.int64)
    cluster[order] = np.minimum((share * most).astype(np.int64), most - 1)
    for _ in range(_STEPS):
        tables = _means(counts, cluster)
        cluster = (counts @ _bits(tables).T.astype(np.float32)).argmin(axis=1)
    return _means(counts, cluster)


def _means(counts: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Return the table of each cluster that has histograms."""
    used, cluster = np.unique(cluster, return_inverse=True)
    order = np.argsort(cluster, kind="stable")
    firsts = np.searchsorted(cluster[order], np.arange(len(used)))
    return _normalised(np.add.reduceat(counts[order], firsts, axis=0, dtype=np.float64))


def _as_integers(table: np.ndarray) -> np.ndarray:
    """Return probabilities as frequencies, uint32, each at least 1, with the sum 2^24."""
    rest = TOTAL - len(table)
    frequencies = np.floor(table * rest).astype(np.int64) + 1
    frequencies[frequencies.argmax()] += TOTAL - frequencies.sum()
    return frequencies.astype(np.uint32)


def _choice(levels: np.ndarray, counts: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return the cheapest table of each level, channel and context, uint8."""
    costs = counts @ bits_of(frequencies).T  # (levels, channels, contexts, tables)
    choice = np.empty((LEVELS, *counts.shape[1:3]), np.uint8)
    for level in range(LEVELS):
        above = int(np.searchsorted(levels, level))
        if levels[above] == level:
            mean = costs[above]
        else:
            low, high = levels[above - 1], levels[above]
            share = np.float32((level - low) / (high - low))
            mean = (1 - share) * costs[above - 1] + share * costs[above]
        choice[level] = mean.argmin(axis=2)
    return choice
